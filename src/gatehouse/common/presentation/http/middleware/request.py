"""The outermost middleware: request id, security headers, and the response to unexpected errors."""

import re
from typing import Final

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid6 import uuid7

from gatehouse.common.presentation.http.errors import InternalError
from gatehouse.common.presentation.http.problems import problem_response

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_HSTS: Final = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}

_log = structlog.get_logger()


class RequestMiddleware:
    """Gives every request an id, in the response and in every log line, adds the security headers to every response,
    and answers unexpected errors with an opaque 500.
    """

    def __init__(self, app: ASGIApp, *, hsts: bool) -> None:
        self._app = app
        headers = {**SECURITY_HEADERS, **(_HSTS if hsts else {})}
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client_id = Headers(scope=scope).get("x-request-id", "")
        request_id = client_id if _REQUEST_ID.fullmatch(client_id) else str(uuid7())
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = message["headers"]
                names = {name for name, _ in headers}
                headers.extend(header for header in self._headers if header[0] not in names)
                headers.append((b"x-request-id", request_id.encode()))
            await send(message)

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:
            _log.exception("internal_error", method=scope["method"])
            if started:
                raise
            response = problem_response(InternalError(), request_id)
            if before_error_response := scope["state"].get("before_error_response"):
                before_error_response(response)
            await response(scope, receive, send_with_headers)
