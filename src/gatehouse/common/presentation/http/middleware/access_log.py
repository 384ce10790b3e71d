"""The access log: a line for each request."""

import logging
from time import perf_counter
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatehouse.common.presentation.http.middleware.host import PROBES

# It has a switch of its own, so the level of the log does not silence it.
_log: Final = structlog.wrap_logger(None, wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET))


class AccessLogMiddleware:
    """Written when the answer is complete, or will never be. The path is named by its route, and the query not at all:
    both may hold what belongs in no log. Request id, caller and trace id stand in every line of a request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        status, size, is_complete = None, 0, False

        async def send_and_count(message: Message) -> None:
            nonlocal status, size, is_complete
            await send(message)
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                size += len(message.get("body", b""))
                # What is sent to a client that has gone is thrown away silently.
                is_complete = not message.get("more_body") and "client_has_gone" not in scope["state"]

        try:
            await self._app(scope, receive, send_and_count)
        finally:
            client, route = scope["client"], scope.get("route")
            _log.info(
                "request",
                method=scope["method"],
                route=None if route is None else route.path,
                status=status,
                duration_ms=round((perf_counter() - began) * 1000, 1),
                bytes=size,
                ip=client[0] if client else None,
                **({} if is_complete else {"unfinished": True}),
            )
