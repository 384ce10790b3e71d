"""Cross-origin resource sharing (CORS): which other origins' pages may read answers (Fetch standard, 3.3)."""

import re
from collections.abc import Callable, Collection
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatehouse.common.presentation.http.allowed_methods import allowed_methods
from gatehouse.common.presentation.http.headers import header_values

EXPOSED: Final = ("ETag", "Link", "X-Total-Count", "X-Request-ID", "Retry-After")
"""Headers that a page may read beside the few that it always may."""
_MAX_AGE_SECONDS: Final = 600
"""For which a browser remembers the answer to a preflight."""
_HEADER_NAMES: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t]*,[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+)*", re.ASCII)
_VARY: Final = (b"vary", b"Origin")
_EXPOSE: Final = (b"access-control-expose-headers", ", ".join(EXPOSED).encode())


def has_origin_of(scope: Scope, origins: Collection[str]) -> bool:
    """As browsers send it, and once: a second one would be read by somebody else."""
    sent = header_values(scope, b"origin")
    return len(sent) == 1 and sent[0] in origins


class CorsMiddleware:
    """Lets pages of the configured origins read answers, and send the user's cookie along. To all others nothing is
    said, so that no origin is ever repeated but one that the operator wrote.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_allowed = has_origin_of(scope, self._origins)
        if is_allowed and scope["method"] == "OPTIONS" and header_values(scope, b"access-control-request-method"):
            methods = allowed_methods(Request(scope))
            if methods:
                await self._preflight_response(scope, methods)(scope, receive, send)
                return

        headers = [_VARY, *_grant(scope), _EXPOSE] if is_allowed else [_VARY]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].extend(headers)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:  # the answer to which is made further out
            _before_error_response(scope, lambda response: response.raw_headers.extend(headers))
            raise

    def _preflight_response(self, scope: Scope, methods: list[str]) -> Response:
        """Any header may be sent: those that count for security are the browser's own, and no page can set them."""
        response = Response(status_code=204)
        response.headers["vary"] = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
        response.headers["access-control-allow-methods"] = ", ".join(methods)
        response.headers["access-control-max-age"] = str(_MAX_AGE_SECONDS)
        requested = ", ".join(header_values(scope, b"access-control-request-headers"))
        if _HEADER_NAMES.fullmatch(requested):
            response.headers["access-control-allow-headers"] = requested
        response.raw_headers.extend(_grant(scope))
        return response


def _grant(scope: Scope) -> list[tuple[bytes, bytes]]:
    [origin] = header_values(scope, b"origin")
    return [(b"access-control-allow-origin", origin.encode()), (b"access-control-allow-credentials", b"true")]


def _before_error_response(scope: Scope, add_headers: Callable[[Response], None]) -> None:
    before = scope["state"].get("before_error_response")

    def run_both(response: Response) -> None:
        if before is not None:
            before(response)
        add_headers(response)

    scope["state"]["before_error_response"] = run_both
