"""Protection against cross-site request forgery (CSRF)."""

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from gatehouse.common.presentation.http.errors import CrossSiteRequestError
from gatehouse.common.presentation.http.headers import header_values
from gatehouse.common.presentation.http.middleware.cors import has_origin_of
from gatehouse.common.presentation.http.middleware.refuse import refuse

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_FROM_ELSEWHERE: Final[tuple[list[str], ...]] = ([], ["same-site"], ["cross-site"])
"""What a browser says of another origin, or one that says nothing."""


class CsrfMiddleware:
    """Refuses requests that change state and that another site's page made in a user's browser (CSRF).

    Fetch Metadata decides where it is present, else the Origin header (OWASP Cross-Site Request Forgery Prevention). A
    client that sends neither is no browser, so no other site can make it send a user's cookies. Pages of `trusted`
    origins are like the service's own.
    """

    def __init__(self, app: ASGIApp, origin: str, trusted: Collection[str] = ()) -> None:
        self._app = app
        self._trusted = frozenset(trusted)
        self._origin = _parse_origin(origin)
        if self._origin is None:
            raise ValueError("The service's own origin cannot be parsed; `Origin: null` would then equal it.")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS and self._is_cross_site(scope):
            await refuse(CrossSiteRequestError(), scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_cross_site(self, scope: Scope) -> bool:
        sites = header_values(scope, b"sec-fetch-site")
        if self._trusted and sites in _FROM_ELSEWHERE and has_origin_of(scope, self._trusted):
            return False
        if sites:
            return any(site not in ("same-origin", "none") for site in sites)
        return any(_parse_origin(origin) != self._origin for origin in header_values(scope, b"origin"))


def _parse_origin(origin: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port as browsers compare them; None for what is no origin, such as `null`."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port or {"http": 80, "https": 443}.get(parts.scheme)
