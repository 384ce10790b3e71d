"""Serves the metrics of all processes, on a listener of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from socket import socket
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from gatehouse.common.application.background import run_in_background
from gatehouse.common.application.measured_use_cases import measure, series_of_use_cases
from gatehouse.common.application.metrics import Labels, Metric
from gatehouse.common.application.use_case import surrounded
from gatehouse.common.infrastructure.metrics.settings import MetricsSettings
from gatehouse.common.infrastructure.metrics.shared_metrics import SharedMetrics, WorkerMetrics
from gatehouse.common.modules import Modules
from gatehouse.common.presentation.http.connection import ConnectionLimits, HttpConnection
from gatehouse.common.presentation.http.middleware.metrics import series_of_requests
from gatehouse.common.settings import Settings, UvicornSettings
from gatehouse.setup.sockets import listening_sockets

PATH: Final = "/metrics"
_SAMPLE_EVERY_SECONDS: Final = 1.0
_MAX_CONNECTIONS: Final = 16
"""Of a worker. Prometheus keeps one open, and asks on it every 15 to 60 seconds."""
_REQUEST_SECONDS: Final = 10
_KEEP_ALIVE_SECONDS: Final = 75


def series_of(modules: Modules) -> dict[Metric, Sequence[Labels]]:
    """All that a service of these modules measures."""
    own = {metric: metric.series or () for module in modules for metric in module.metrics}
    return {**own, **series_of_requests(modules.routes), **series_of_use_cases(modules.use_cases)}


@dataclass(frozen=True, slots=True)
class ServerMetrics:
    """Made before the workers are forked. Each of them answers for all."""

    memory: SharedMetrics
    expose: Callable[[str], tuple[str, bytes]]
    """Gets what the client accepts; gives back a media type and the text."""
    sockets: list[socket]
    use_cases: list[type]

    @asynccontextmanager
    async def serve(self, own: WorkerMetrics) -> AsyncIterator[None]:
        """Also measures the use cases of this process."""
        with surrounded(self.use_cases, measure(own)):
            async with run_in_background(_sample(own)), self._listening():
                yield

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        """The same limits of size and time as for any other client, until the process ends."""
        config = Config(
            self._answer,
            interface="asgi3",
            log_config=None,
            access_log=False,
            ws="none",
            lifespan="off",
            proxy_headers=False,
        )
        state = ServerState()
        limits = ConnectionLimits(
            connections=_MAX_CONNECTIONS, request_seconds=_REQUEST_SECONDS, keep_alive_seconds=_KEEP_ALIVE_SECONDS
        )
        connect = partial(HttpConnection, config, state, {}, limits=limits, hsts=False)
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(connect, sock=listener) for listener in self.sockets]
        try:
            yield
        finally:
            for server in servers:
                server.close()
            for connection in list(state.connections):
                connection.transport.abort()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if request.url.path != PATH:
            response: Response = PlainTextResponse("There is nothing here.\n", 404)
        elif request.method != "GET":
            response = PlainTextResponse("They can only be read.\n", 405, {"Allow": "GET"})
        else:
            content_type, text = self.expose(", ".join(request.headers.getlist("accept")))
            response = Response(text, headers={"Content-Type": content_type})
        await response(scope, receive, send)


@contextmanager
def open_metrics(settings: Settings, modules: Modules) -> Iterator[ServerMetrics | None]:
    """None where the settings ask for none. Raises ConfigError where the port cannot be listened on."""
    address = settings[MetricsSettings]
    if not address.port:
        yield None
        return
    from gatehouse.common.infrastructure.metrics.exposition import Exposition  # noqa: PLC0415  # only where it is used

    memory = SharedMetrics(series_of(modules), settings[UvicornSettings].workers)
    with listening_sockets(address, "metrics") as sockets:
        yield ServerMetrics(memory, Exposition(memory).expose, sockets, modules.use_cases)


async def _sample(own: WorkerMetrics) -> None:
    while True:
        await asyncio.sleep(_SAMPLE_EVERY_SECONDS)
        own.sample()
