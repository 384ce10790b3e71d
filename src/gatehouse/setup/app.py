"""The application that a server runs."""

import gc

from dishka import Provider
from fastapi import FastAPI

from gatehouse.accounts.presentation.http.cookie import SessionCookie
from gatehouse.setup.background import running_purge
from gatehouse.setup.container import create_container
from gatehouse.setup.http_app import Edge, create_http_app
from gatehouse.setup.load_settings import load_settings
from gatehouse.setup.logs import configure_logs
from gatehouse.setup.settings import Environment, Settings


def create_app(settings: Settings, *overrides: Provider) -> FastAPI:
    edge = Edge(
        origin=settings.origin,
        hosts=settings.hosts,
        trusted_proxies=settings.uvicorn.trusted_proxies,
        hsts=settings.app.environment is Environment.PRODUCTION,
        serves_docs=settings.serves_docs,
        has_replica=bool(settings.postgres.replica_url),
    )
    container = create_container(settings, *overrides)
    return create_http_app(container, SessionCookie(settings.cookie.secure), edge, running_purge)


def create_served_app() -> FastAPI:
    """What each server process calls."""
    settings = load_settings()
    configure_logs(settings.logs)
    app = create_app(settings)
    _spare_garbage_collection()
    return app


def _spare_garbage_collection() -> None:
    """Keeps it from holding up requests for tens of milliseconds.

    What is made at the start stays for good and is taken out of the collector's sight. The requests of a crowd are
    many objects, but none is garbage: it need not look through them so often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
