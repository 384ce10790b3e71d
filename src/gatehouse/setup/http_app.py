"""The HTTP application, from its parts."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from dishka import AsyncContainer, Scope
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from gatehouse.common.application.metrics import NO_METRICS, Metrics
from gatehouse.common.modules import Module, Modules
from gatehouse.common.presentation.http import docs, problems, web_pages
from gatehouse.common.presentation.http.middleware.access_log import AccessLogMiddleware
from gatehouse.common.presentation.http.middleware.body import BodyMiddleware
from gatehouse.common.presentation.http.middleware.compression import CompressionMiddleware
from gatehouse.common.presentation.http.middleware.container import ContainerMiddleware
from gatehouse.common.presentation.http.middleware.cors import CorsMiddleware
from gatehouse.common.presentation.http.middleware.csrf import CsrfMiddleware
from gatehouse.common.presentation.http.middleware.host import HostMiddleware
from gatehouse.common.presentation.http.middleware.metrics import MetricsMiddleware
from gatehouse.common.presentation.http.middleware.request import RequestMiddleware
from gatehouse.common.presentation.http.middleware.server_timing import ServerTimingMiddleware
from gatehouse.common.presentation.http.middleware.trusted_proxy import TrustedProxyMiddleware
from gatehouse.common.presentation.http.middleware.write_position import WritePositionMiddleware
from gatehouse.common.presentation.http.route import use_case_of
from gatehouse.common.settings import (
    AppSettings,
    HttpSettings,
    LogSettings,
    PostgresSettings,
    Settings,
    UvicornSettings,
)
from gatehouse.setup.features import serves_docs

if TYPE_CHECKING:
    from gatehouse.common.infrastructure.tracing import Tracing

# FastAPI's own records of a request hold query strings, rejected input and stack traces.
_NO_TELEMETRY: Final[TelemetryConfig] = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}
_DESCRIPTION: Final = "Accounts: cookie sessions, a role hierarchy and its administration."

type Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_http_app(
    container: AsyncContainer,
    settings: Settings,
    modules: Modules,
    metrics: Metrics = NO_METRICS,
    tracing: "Tracing | None" = None,
) -> FastAPI:
    app = FastAPI(
        title="Gatehouse",
        version=version("gatehouse"),
        description=_DESCRIPTION,
        lifespan=_lifespan(container, modules, tracing),
        openapi_url=None,  # docs.install serves it, where the settings say so
        telemetry=_NO_TELEMETRY,
        redirect_slashes=False,  # such a redirect would be built from the Host header
    )
    for module in _in_matching_order(modules):
        off = module.switched_off(settings)
        # Not include_router(): it keeps a tree, through which every request would be matched twice.
        app.router.routes.extend(route for route in module.routes if use_case_of(route) not in off)
    problems.install(app)
    web_pages.install(app, [module.web_pages for module in modules if module.web_pages is not None])

    def complete(document: dict[str, Any]) -> None:
        for module in modules:
            module.complete_openapi(document, settings, modules)

    app.openapi = partial(docs.complete_openapi, app, complete)  # type: ignore[method-assign]  # FastAPI's own way
    if serves_docs(settings):
        docs.install(app)
    app.state.dishka_container = container
    _add_middleware(app, container, settings, tracing)
    if metrics is not NO_METRICS:  # around all others, so that it sees how they answer
        app.add_middleware(MetricsMiddleware, metrics=metrics, routes=modules.routes)
    return app


def _in_matching_order(modules: Modules) -> list[Module]:
    """Routes are matched one after the other: the probes, which the first module brings, can wait for the others, and
    pages for people can wait for the API.
    """
    have_pages = [module for module in modules if module.web_pages is not None]
    return [*(module for module in reversed([*modules]) if module.web_pages is None), *have_pages]


def _add_middleware(app: FastAPI, container: AsyncContainer, settings: Settings, tracing: "Tracing | None") -> None:
    """The last one added sees a request first."""
    http = settings[HttpSettings]
    app.add_middleware(ContainerMiddleware, container=container)
    if settings[PostgresSettings].replica_url:
        app.add_middleware(WritePositionMiddleware, secure=settings.has_secure_cookies)
    app.add_middleware(BodyMiddleware)
    app.add_middleware(CsrfMiddleware, origin=settings.origin, trusted=http.cors_origins)
    if http.compression:
        app.add_middleware(CompressionMiddleware, min_bytes=http.compression)
    if http.cors_origins:
        app.add_middleware(CorsMiddleware, origins=http.cors_origins)
    app.add_middleware(HostMiddleware, hosts=settings.hosts)
    if settings[AppSettings].is_development:
        app.add_middleware(ServerTimingMiddleware)
    if tracing is not None:
        from gatehouse.common.presentation.http.middleware.tracing import TracingMiddleware  # noqa: PLC0415  # only then

        app.add_middleware(TracingMiddleware, tracer=tracing.tracer)
    app.add_middleware(RequestMiddleware, hsts=settings[AppSettings].is_production)
    if settings[LogSettings].access:
        app.add_middleware(AccessLogMiddleware)
    if networks := settings[UvicornSettings].trusted_networks:
        app.add_middleware(TrustedProxyMiddleware, networks=networks)


def _lifespan(container: AsyncContainer, modules: Modules, tracing: "Tracing | None") -> Lifespan:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with tracing.observe(modules.use_cases) if tracing else nullcontext():
            try:
                await _make_shared_parts(container)
                async with AsyncExitStack() as stack:
                    for module in modules:
                        for run in module.background:
                            await stack.enter_async_context(run(container))
                    yield
            finally:
                await container.close()

    return lifespan


async def _make_shared_parts(container: AsyncContainer) -> None:
    """Those of all requests, before the first of them. The container's lock, which keeps two requests from making one
    part twice, is then of no use, and would be taken for each part that a request asks for.
    """
    for key, factory in list(container.registry.factories.items()):
        if factory.scope is Scope.APP:
            await container.get(key.type_hint, key.component)
    container.lock = None
