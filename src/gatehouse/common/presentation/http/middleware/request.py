"""The outermost middleware: request id, security headers, and the response to unexpected errors."""

import re
from typing import Final

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid6 import uuid7

from gatehouse.common.presentation.http.errors import InternalError
from gatehouse.common.presentation.http.headers import header_values
from gatehouse.common.presentation.http.problems import error_response

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_HSTS: Final = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}

_log = structlog.get_logger()


def security_headers(*, hsts: bool) -> list[tuple[bytes, bytes]]:
    headers = {**SECURITY_HEADERS, **(_HSTS if hsts else {})}
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


class RequestMiddleware:
    """Gives every request an id, in the response and in every log line, adds the security headers to every response,
    and answers unexpected errors with an opaque 500.

    The id is the server's own or a trusted proxy's. Anyone else's is only logged, as `client_request_id`: whoever could
    choose it could make two requests look like one.
    """

    def __init__(self, app: ASGIApp, *, hsts: bool) -> None:
        self._app = app
        self._headers = security_headers(hsts=hsts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        client_id = _well_formed_id(scope)
        request_id = client_id if client_id and state.get("is_from_trusted_proxy") else str(uuid7())
        state["request_id"] = request_id
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = message["headers"]
                names = {name for name, _ in headers}
                headers += [header for header in self._headers if header[0] not in names]
                headers.append((b"x-request-id", request_id.encode()))
            await send(message)

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        if client_id and client_id != request_id:
            structlog.contextvars.bind_contextvars(client_request_id=client_id)
        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:
            _log.exception("internal_error", method=scope["method"])
            if started:
                raise
            response = error_response(Request(scope), InternalError())
            if before_error_response := scope["state"].get("before_error_response"):
                before_error_response(response)
            await response(scope, receive, send_with_headers)


def _well_formed_id(scope: Scope) -> str | None:
    ids = header_values(scope, b"x-request-id")
    return ids[0] if len(ids) == 1 and _REQUEST_ID.fullmatch(ids[0]) else None
