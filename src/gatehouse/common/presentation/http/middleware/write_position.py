"""A client carries the position of its last write in a cookie, and so reads its own writes from a replica, too."""

import re
from contextvars import ContextVar
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatehouse.common.application.write_position import WritePosition

COOKIE: Final = "gatehouse-written"
_MAX_AGE_SECONDS: Final = 30
"""Longer than a usable replica may lag."""
_CURRENT: Final = ContextVar[WritePosition | None]("write_position", default=None)
_LSN: Final = re.compile("[0-9A-F]{1,8}/[0-9A-F]{1,8}")


def current_write_position() -> WritePosition:
    """That of the request at hand; outside requests, and without a replica, an empty one."""
    return _CURRENT.get() or WritePosition()


class WritePositionMiddleware:
    """Only there when a replica is. A forged position costs its owner a read from the primary, no more."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._attributes = f"Max-Age={_MAX_AGE_SECONDS}; Path=/; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = Request(scope).cookies.get(COOKIE, "")
        write_position = WritePosition(sent if _LSN.fullmatch(sent) else None)
        before = write_position.lsn
        _CURRENT.set(write_position)

        async def send_position(message: Message) -> None:
            if message["type"] == "http.response.start" and write_position.lsn != before:
                cookie = f"{COOKIE}={write_position.lsn}; {self._attributes}"
                message["headers"].append((b"set-cookie", cookie.encode()))
            await send(message)

        await self._app(scope, receive, send_position)
