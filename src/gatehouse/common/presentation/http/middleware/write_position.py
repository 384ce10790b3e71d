"""A cookie carries the client's write position, so that it reads its own writes from a read replica, too."""

import re
from contextvars import ContextVar
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatehouse.common.application.write_position import WritePosition
from gatehouse.common.presentation.http.cookies import cookie_values

COOKIE: Final = "gatehouse-written"
_MAX_AGE_SECONDS: Final = 30
"""Longer than the lag of a usable replica."""
_CURRENT: Final = ContextVar[WritePosition | None]("write_position", default=None)
_LSN: Final = re.compile("[0-9A-F]{1,8}/[0-9A-F]{1,8}")


def current_write_position() -> WritePosition:
    """The current client's write position; empty outside of requests, and where there is no read replica."""
    return _CURRENT.get() or WritePosition()


class WritePositionMiddleware:
    """Only installed with a read replica. A client that forges a position only sends its own reads to the primary."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._attributes = f"Max-Age={_MAX_AGE_SECONDS}; Path=/; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        lsn = next(iter(cookie_values(Request(scope), COOKIE)), "")
        write_position = WritePosition(lsn if _LSN.fullmatch(lsn) else None)
        previous_lsn = write_position.lsn
        _CURRENT.set(write_position)

        async def send_position(message: Message) -> None:
            if message["type"] == "http.response.start" and write_position.lsn != previous_lsn:
                cookie = f"{COOKIE}={write_position.lsn}; {self._attributes}"
                message["headers"].append((b"set-cookie", cookie.encode()))
            await send(message)

        await self._app(scope, receive, send_position)
