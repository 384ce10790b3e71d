"""A client carries the position of its last write in a cookie, and so reads its own writes from a replica, too."""

import re
from contextvars import ContextVar
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatehouse.common.application.write_position import Written

COOKIE: Final = "gatehouse-written"
_MAX_AGE_SECONDS: Final = 30
"""Longer than a usable replica may lag."""
_CURRENT: Final = ContextVar[Written | None]("written", default=None)
_POSITION: Final = re.compile("[0-9A-F]{1,8}/[0-9A-F]{1,8}")


def current_written() -> Written:
    """The client's, where there is a replica; else one that nobody asks."""
    return _CURRENT.get() or Written()


class WrittenMiddleware:
    """Only there when a replica is. A forged position costs its owner a read from the primary, no more."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._attributes = f"Max-Age={_MAX_AGE_SECONDS}; Path=/; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        known = Request(scope).cookies.get(COOKIE, "")
        written = Written(known if _POSITION.fullmatch(known) else None)
        before = written.position
        _CURRENT.set(written)

        async def send_position(message: Message) -> None:
            if message["type"] == "http.response.start" and written.position != before:
                cookie = f"{COOKIE}={written.position}; {self._attributes}"
                message["headers"].append((b"set-cookie", cookie.encode()))
            await send(message)

        await self._app(scope, receive, send_position)
