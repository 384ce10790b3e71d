"""Web origins (RFC 6454): scheme, host and port, as text."""

import re
from typing import Final
from urllib.parse import urlsplit

_ORIGIN: Final = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?", re.ASCII)


def is_origin(text: str) -> bool:
    """As RFC 6454 writes one (6.2): nothing behind the port, not even a slash."""
    try:
        return _ORIGIN.fullmatch(text) is not None and urlsplit(text).port != 0
    except ValueError:  # a port beyond 65535, or no IPv6 address
        return False


def is_as_browsers_send_it(text: str) -> bool:
    """In lower case, and without the port that the scheme has anyway."""
    default_port = ":443" if text.startswith("https:") else ":80"
    return is_origin(text) and text == text.lower() and not text.endswith(default_port)
