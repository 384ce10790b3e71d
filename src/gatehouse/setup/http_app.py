"""The HTTP application, from its parts."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Final

from dishka import AsyncContainer
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from gatehouse.accounts.presentation.http import account, users
from gatehouse.accounts.presentation.http.cookie import SessionCookie
from gatehouse.audit.presentation.http import audit
from gatehouse.common.presentation.http import docs, problems
from gatehouse.common.presentation.http import health as general
from gatehouse.common.presentation.http.middleware import (
    ContainerMiddleware,
    CrossSiteMiddleware,
    HostMiddleware,
    JsonBodyMiddleware,
    RequestMiddleware,
)
from gatehouse.common.presentation.http.write_position import WrittenMiddleware

# FastAPI's own records of a request hold query strings, rejected input and stack traces.
_NO_TELEMETRY: Final[TelemetryConfig] = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}
_DESCRIPTION: Final = "Accounts: cookie sessions, a role hierarchy and its administration."

type Background = Callable[[AsyncContainer], AbstractAsyncContextManager[None]]
"""What runs beside the requests, from start to stop."""
type Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Edge:
    """How the service is reached. `hosts` are the names it answers to, `trusted_proxies` addresses or networks."""

    origin: str
    hosts: Collection[str]
    trusted_proxies: Sequence[str]
    hsts: bool
    serves_docs: bool
    has_replica: bool


def create_http_app(container: AsyncContainer, cookie: SessionCookie, edge: Edge, background: Background) -> FastAPI:
    app = FastAPI(
        title="Gatehouse",
        version=version("gatehouse"),
        description=_DESCRIPTION,
        lifespan=_lifespan(container, background),
        openapi_url=None,  # served by docs.install, where it is served at all
        telemetry=_NO_TELEMETRY,
        redirect_slashes=False,  # such a redirect would be built from the Host header
    )
    for module in (users, account, audit, general):
        # Not include_router(): it keeps a tree, through which every request would be matched twice.
        app.router.routes.extend(module.router.routes)
    problems.install(app)
    app.openapi = partial(docs.complete_openapi, app, cookie)  # type: ignore[method-assign]  # FastAPI's documented way
    if edge.serves_docs:
        docs.install(app)
    app.state.dishka_container = container
    # The last one added sees a request first.
    app.add_middleware(ContainerMiddleware, container=container)
    if edge.has_replica:
        app.add_middleware(WrittenMiddleware, secure=cookie.secure)
    app.add_middleware(JsonBodyMiddleware)
    app.add_middleware(CrossSiteMiddleware, origin=edge.origin)
    app.add_middleware(HostMiddleware, hosts=edge.hosts)
    app.add_middleware(RequestMiddleware, hsts=edge.hsts)
    if edge.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(edge.trusted_proxies))
    return app


def _lifespan(container: AsyncContainer, background: Background) -> Lifespan:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            async with background(container):
                yield
        finally:
            await container.close()

    return lifespan
