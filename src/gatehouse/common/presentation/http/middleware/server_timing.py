"""Server-Timing (W3C): how long an answer took, for the developer tools of browsers."""

from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatehouse.common.application.timing import CURRENT, Timing


class ServerTimingMiddleware:
    """Never in production: to strangers it would tell how long a password took to verify."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, timing = perf_counter(), Timing()
        CURRENT.set(timing)

        async def send_with_times(message: Message) -> None:
            if message["type"] == "http.response.start":
                seconds = {"total": perf_counter() - began, "db": timing.database}
                times = ", ".join(f"{name};dur={value * 1000:.1f}" for name, value in seconds.items())
                message["headers"].append((b"server-timing", times.encode()))
            await send(message)

        await self._app(scope, receive, send_with_times)
