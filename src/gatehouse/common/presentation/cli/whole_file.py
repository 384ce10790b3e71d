"""Files that are there whole or not at all."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def open_whole_file(path: Path, *, mode: int = 0o600, replaces: bool = True) -> Iterator[BinaryIO]:
    """Written under another name beside it, by default for its owner alone, and put in its place at the end. The umask
    may take from `mode`. Replaces nothing but a file.

    Raises OSError, which names the file: FileExistsError where it replaces nothing and something is there, even if
    another process makes that at the same time.
    """
    if replaces:
        _ensure_replaceable(path)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        try:
            # Within: an interrupt may come as soon as the draft is there.
            number = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
            with os.fdopen(number, "wb") as file:
                yield file
                file.flush()
                os.fsync(number)
            if replaces:
                draft.replace(path)
            else:
                path.hardlink_to(draft)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def _ensure_replaceable(path: Path) -> None:
    """Nor is a link to one that is not: in the hands of root, the file would take the place of /dev/null."""
    if path.is_dir():
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "Is no regular file", str(path))
