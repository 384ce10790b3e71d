"""Light or dark: by the reader's system, or by choice, which a cookie of this browser keeps."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gatehouse.common.presentation.http.cookies import cookie_values

THEMES: Final = ("light", "dark")
_COOKIE: Final = "console-theme"
_YEAR: Final = 365 * 24 * 3600


def theme_of(request: Request) -> str | None:
    """None where the reader's system decides."""
    chosen = cookie_values(request, _COOKIE)
    return chosen[0] if len(chosen) == 1 and chosen[0] in THEMES else None


def keep_theme(response: Response, theme: str) -> None:
    if theme in THEMES:
        response.set_cookie(_COOKIE, theme, max_age=_YEAR, path="/console/", httponly=True, samesite="lax")
    else:
        response.delete_cookie(_COOKIE, path="/console/", httponly=True, samesite="lax")
