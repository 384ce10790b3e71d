"""What a request line asks for (RFC 9112, 3.2)."""

import re
from typing import Final

_ABSOLUTE_FORM: Final = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)(.*)", re.DOTALL)


def split_target(target: bytes) -> tuple[bytes | None, bytes]:
    """The authority that a target in absolute form names, else None; and the path with the query, in origin form."""
    absolute = _ABSOLUTE_FORM.fullmatch(target)
    if absolute is None:
        return None, target
    authority, rest = absolute.groups()
    return authority, rest if rest.startswith(b"/") else b"/" + rest
