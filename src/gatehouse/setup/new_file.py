"""Files that are made once, and that nobody sees half of."""

import os
import secrets
from pathlib import Path


def write_new_file(path: Path, text: str, *, mode: int) -> None:
    """Raises FileExistsError where there is something already, even if another process makes it at the same time.

    Written under another name and then linked, which never replaces what is there. The umask may take from `mode`.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    number = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
        os.link(draft, path)
    finally:
        draft.unlink()
