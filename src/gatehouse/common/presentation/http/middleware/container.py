"""The request-scoped container."""

from dishka import AsyncContainer
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send


class ContainerMiddleware:
    """Opens a container for the request, and closes it afterwards.

    Dishka's own middleware leaves a reference cycle between request and container. Only the garbage collector frees
    it, and it pauses all requests meanwhile.
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
