from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.common.settings import AppSettings, Environment, Settings, UvicornSettings
from gatehouse.testing.running_app import ORIGIN, RunningApp
from tests.http.served_app import ServedApp, serve_app


@pytest.fixture
async def chief(app: RunningApp) -> httpx.AsyncClient:
    """A super admin, whose own login was the first event, a second ago."""
    client = await app.logged_in("chief", Role.SUPER_ADMIN)
    app.clock.advance(timedelta(seconds=1))
    return client


@pytest.fixture(scope="session")
def proxied_server(settings: Settings) -> Iterator[ServedApp]:
    """Trusts whoever connects from this machine as a proxy."""
    with serve_app(settings.replace(UvicornSettings(trusted_proxies=["127.0.0.1"]))) as served_app:
        yield served_app


@pytest.fixture(scope="session")
def hasty_server(settings: Settings) -> Iterator[ServedApp]:
    """In production, without proxies, and with so little time that tests need not wait."""
    production = AppSettings(environment=Environment.PRODUCTION, origin=ORIGIN)
    with serve_app(settings.replace(production), request_seconds=0.2, keep_alive_seconds=0.4) as served_app:
        yield served_app
