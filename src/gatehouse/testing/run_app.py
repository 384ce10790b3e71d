"""The modules under test at work, with settings of the test's own: as an application, or as bare use cases."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from dishka import Provider, Scope

from gatehouse.common.application.metrics import NO_METRICS, Metrics
from gatehouse.common.application.ports import Clock
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.settings import Settings
from gatehouse.setup.app import create_app
from gatehouse.setup.container import create_container
from gatehouse.testing.fakes import FakeClock
from gatehouse.testing.harness import Harness, HarnessProvider
from gatehouse.testing.running_app import RunningApp
from gatehouse.testing.under_test import modules_under_test

if TYPE_CHECKING:
    from gatehouse.common.infrastructure.tracing import Tracing


@asynccontextmanager
async def run_app(
    settings: Settings, *parts: Provider, metrics: Metrics = NO_METRICS, tracing: "Tracing | None" = None
) -> AsyncIterator[RunningApp]:
    """Later parts override earlier ones, and those of the modules."""
    clock = FakeClock()
    own = Provider(scope=Scope.APP)
    own.provide(lambda: clock, provides=Clock)
    fastapi_app = create_app(settings, own, *parts, modules=modules_under_test(), metrics=metrics, tracing=tracing)
    async with fastapi_app.router.lifespan_context(fastapi_app), AsyncExitStack() as clients:
        container = fastapi_app.state.dishka_container
        yield RunningApp(fastapi_app, container, await container.get(Database), clock, clients)


@asynccontextmanager
async def open_harness(settings: Settings, *parts: Provider) -> AsyncIterator[Harness]:
    """Later parts override earlier ones, and those of the modules."""
    clock = FakeClock()
    container = create_container(settings, modules_under_test(), HarnessProvider(clock), *parts)
    try:
        yield Harness(container, clock)
    finally:
        await container.close()
