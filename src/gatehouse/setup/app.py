"""The application that a server runs."""

import gc
from typing import TYPE_CHECKING

from dishka import Provider
from fastapi import FastAPI

from gatehouse.common.application.metrics import NO_METRICS, Metrics
from gatehouse.common.modules import Modules
from gatehouse.common.settings import Settings
from gatehouse.setup.container import create_container
from gatehouse.setup.http_app import create_http_app
from gatehouse.setup.modules import modules_of
from gatehouse.setup.tracing import find_tracing

if TYPE_CHECKING:
    from gatehouse.common.infrastructure.tracing import Tracing


def create_app(
    settings: Settings,
    *overrides: Provider,
    modules: Modules | None = None,
    metrics: Metrics = NO_METRICS,
    tracing: "Tracing | None" = None,
) -> FastAPI:
    """Without `modules`, of Gatehouse's own and those that the settings name."""
    modules = modules_of(settings) if modules is None else modules
    container = create_container(settings, modules, *overrides, metrics=metrics)
    return create_http_app(container, settings, modules, metrics, tracing)


def create_tuned_app(settings: Settings, metrics: Metrics = NO_METRICS) -> FastAPI:
    """For a process that does nothing but serve it."""
    open_tracing = find_tracing()
    app = create_app(settings, metrics=metrics, tracing=open_tracing() if open_tracing else None)
    _tune_garbage_collection()
    return app


def _tune_garbage_collection() -> None:
    """Keeps garbage collection from pausing requests for tens of milliseconds.

    Objects made at the start live as long as the process: they are frozen, so that the collector skips them. Many
    parallel requests are many objects, too, but none of them is garbage: the thresholds are raised.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
