"""Where log lines go, such that nobody who logs depends on whoever reads them (ADR 26)."""

import select
from contextlib import suppress
from threading import Lock
from typing import Final, TextIO

_PATIENCE_SECONDS: Final = 1.0
_PIPE_BYTES: Final = 4096
"""What a pipe that is ready takes at once (Linux, PIPE_BUF)."""
_MAX_CHARACTER_BYTES: Final = 4


class LogStream:
    """A line that cannot be written is lost, and counted: at once where the reader has gone or the disk is full, and
    after a moment, in which nothing else is done, where the reader has stopped reading. While lines are being lost,
    nobody waits again.
    """

    def __init__(self, stream: TextIO, *, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        self._stream = stream
        self._patience_seconds = patience_seconds
        self._file: int | None = None
        with suppress(OSError):  # in memory, there is none
            self._file = stream.fileno()
        self._lock = Lock()
        self.lost = 0
        """Lines since the last one that was written."""

    def write(self, text: str) -> None:
        with self._lock:
            self.lost = 0 if self._write(text) else self.lost + 1

    def write_line(self, line: str) -> None:
        self.write(f"{line}\n")

    # structlog calls a logger by the level.
    debug = info = warning = error = critical = write_line

    def _write(self, text: str) -> bool:
        size = _PIPE_BYTES if text.isascii() else _PIPE_BYTES // _MAX_CHARACTER_BYTES
        try:
            for start in range(0, len(text), size):
                if not self._is_ready():
                    return False
                self._stream.write(text[start : start + size])
                self._stream.flush()
        except OSError:
            return False
        return True

    def _is_ready(self) -> bool:
        if self._file is None:
            return True
        _, ready, _ = select.select([], [self._file], [], 0 if self.lost else self._patience_seconds)
        return bool(ready)
