"""Files that are there whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def open_whole_file(path: Path) -> Iterator[BinaryIO]:
    """Written under another name beside it, for its owner alone, and renamed at the end. Replaces what is there.

    Raises OSError, which names the file.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        try:
            # Within: an interrupt may come as soon as the draft is there.
            number = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(number, "wb") as file:
                yield file
                file.flush()
                os.fsync(number)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
