"""Cookies as browsers send them."""

from starlette.requests import Request


def cookie_values(request: Request, name: str) -> list[str]:
    """Only blank and tab are space between cookies (RFC 6265, 4.2.1).

    Python's strip() also takes octets such as 0xA0 away, and would so make another cookie's name this one's.
    """
    return [
        value
        for header in request.headers.getlist("cookie")
        for key, _, value in (part.strip(" \t").partition("=") for part in header.split(";"))
        if key == name
    ]
