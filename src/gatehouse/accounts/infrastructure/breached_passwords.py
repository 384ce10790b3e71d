"""Passwords that are known from breaches, in a file that may be far larger than the memory."""

import hashlib
import os
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final, Self

_LINE: Final = re.compile(rb"[0-9A-F]{40}(:\d{1,20})?\r?")
_HASH_LENGTH: Final = 40
_MAX_LINE: Final = 64
_SAMPLES: Final = 1000


class BreachedFileError(Exception):
    """What is wrong with the file, in a sentence."""


class BreachedPasswords:
    """SHA-1 hashes in capital hexadecimal digits, one a line and in their order, each with `:` and a count or without.

    A hash is found by bisection: some 35 short reads in a file of a thousand million lines.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("rb", buffering=0)
        except (OSError, ValueError):  # not there, or no name of a file
            raise BreachedFileError("the file it names cannot be read.") from None
        self._size = os.fstat(self._file.fileno()).st_size
        try:
            self._ensure_is_sorted()
        except BreachedFileError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def hold(self, password: str) -> bool:
        wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
        low, high = 0, self._size
        while low < high:
            start, line = self._line_around((low + high) // 2)
            found = line[:_HASH_LENGTH]
            if found == wanted:
                return True
            if found < wanted:
                low = start + len(line) + 1
            else:
                high = start
        return False

    def _line_around(self, offset: int) -> tuple[int, bytes]:
        """Where the line that holds this byte starts, and the line without its newline, which counts as its last."""
        begin = max(0, offset - _MAX_LINE)
        piece = os.pread(self._file.fileno(), 2 * _MAX_LINE, begin)
        start = piece.rfind(b"\n", 0, offset - begin) + 1
        line, _, _ = piece[start:].partition(b"\n")
        return begin + start, line

    def _ensure_is_sorted(self) -> None:
        """Looks at lines throughout the file, at all of them in a short one."""
        lines = list(self._sample())
        if not lines or not all(_LINE.fullmatch(line) for line in lines):
            raise BreachedFileError("the file it names must hold a SHA-1 hash in capital hexadecimal digits a line.")
        if any(line[:_HASH_LENGTH] > later[:_HASH_LENGTH] for line, later in pairwise(lines)):
            raise BreachedFileError("the file it names must be sorted by hash.")

    def _sample(self) -> Iterator[bytes]:
        step, offset = max(1, self._size // _SAMPLES), 0
        while offset < self._size:
            start, line = self._line_around(offset)
            yield line
            offset = max(start + len(line) + 1, offset + step)
