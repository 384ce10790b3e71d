"""The container of a request's own objects."""

from dishka import AsyncContainer
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send


class ContainerMiddleware:
    """Opens the container of the request's own objects, and closes it afterwards.

    Dishka's own leaves request and container holding each other; then only the garbage collector finds them, and it
    stops all requests while it looks.
    """

    def __init__(self, app: ASGIApp, container: AsyncContainer) -> None:
        self._app = app
        self._container = container

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope["state"]
        async with self._container({Request: Request(scope, receive, send)}) as container:
            state["dishka_container"] = container  # where Dishka's routes look for it
            try:
                await self._app(scope, receive, send)
            finally:
                del state["dishka_container"]
