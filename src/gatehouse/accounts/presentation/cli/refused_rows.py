"""The file that tells which lines of an import were refused, and why."""

import csv
import os
import stat
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from gatehouse.common.domain.errors import InvalidError


class RefusedRows:
    """CSV with `line` and `reason`. It is opened before the import begins, so that what stands in its way shows early;
    it is gone at the end if nothing was refused, unless it is a device, a pipe or a link, which are not ours to remove.
    """

    def __init__(self, path: Path, *, source: int) -> None:
        """`source` is the descriptor of what is imported."""
        if path.exists() and os.path.samestat(path.stat(), os.fstat(source)):
            raise InvalidError("--refused", "Must be another file than the one that is imported.")
        self._path = path
        self._count = 0

    def __enter__(self) -> Self:
        descriptor = os.open(self._path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        self._file = os.fdopen(descriptor, "w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(["line", "reason"])
        return self

    def add(self, line: int, reason: str) -> None:
        self._count += 1
        try:
            self._writer.writerow([line, reason])
        except OSError as error:
            raise self._naming(error) from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        except OSError as closing:
            if error is None:
                raise self._naming(closing) from None
        if not self._count:
            self._remove()

    def _remove(self) -> None:
        with suppress(FileNotFoundError):  # another run has
            if stat.S_ISREG(self._path.lstat().st_mode):
                self._path.unlink()

    def _naming(self, error: OSError) -> OSError:
        return OSError(error.errno, error.strerror, str(self._path))
