"""The application that a server runs."""

from dishka import Provider
from fastapi import FastAPI

from app.presentation.http.app import create_http_app
from app.presentation.http.cookie import SessionCookie
from app.setup.load_settings import load_settings
from app.setup.logs import configure_logs
from app.setup.providers import create_container
from app.setup.settings import Settings


def create_app(settings: Settings, *overrides: Provider) -> FastAPI:
    return create_http_app(
        create_container(settings, *overrides),
        SessionCookie(settings.cookie.secure),
        origin=settings.origin,
        serves_docs=settings.serves_docs,
    )


def create_served_app() -> FastAPI:
    """What each server process calls."""
    settings = load_settings()
    configure_logs(settings.logs)
    return create_app(settings)
