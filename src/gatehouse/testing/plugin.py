"""The plugin of pytest: `pytest_plugins = ["gatehouse.testing.plugin"]` in the conftest.py of a project's tests.

One PostgreSQL for the whole run, one database for each worker, one application on a pool of one connection.
"""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Final

import psycopg
import pytest
from dishka import AsyncContainer, Provider, Scope
from fastapi import FastAPI
from psycopg.conninfo import make_conninfo

from gatehouse.accounts.settings import JwtSettings, PasswordSettings
from gatehouse.common.application.ports import Clock
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.settings import (
    AppSettings,
    CookieSettings,
    Environment,
    LogFormat,
    LogSettings,
    PostgresSettings,
    Settings,
)
from gatehouse.setup.app import create_app
from gatehouse.setup.logs import configure_logs
from gatehouse.testing.contract import Gateways, open_gateways
from gatehouse.testing.database import SERVER_ROLE, CreateDatabase, empty_database
from gatehouse.testing.fakes import FakeClock
from gatehouse.testing.harness import Harness
from gatehouse.testing.run_app import open_harness
from gatehouse.testing.running_app import ORIGIN, RunningApp
from gatehouse.testing.server import TEMPLATE, NoServerError, RunServer, server_url, with_database
from gatehouse.testing.under_test import OPTION, UnderTestError, modules_under_test, name_module_tests

_LOOP_SETTINGS: Final = {
    "asyncio_mode": "auto",
    "asyncio_default_fixture_loop_scope": "session",
    "asyncio_default_test_loop_scope": "session",
}
"""One loop for the run, since a pool of connections belongs to the loop that opened it."""

_server = RunServer()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(OPTION, "files with the `TESTS` of the modules under test, as dotted names", "linelist")


def pytest_configure(config: pytest.Config) -> None:
    for name, needed in _LOOP_SETTINGS.items():
        if str(config.getini(name)) != needed:
            raise pytest.UsageError(f'gatehouse.testing needs `{name} = "{needed}"` in the settings of pytest.')
    try:
        name_module_tests(config.getini(OPTION))
    except UnderTestError as error:
        raise pytest.UsageError(str(error)) from None
    is_worker = hasattr(config, "workerinput")
    if not is_worker and not config.option.collectonly:
        _server.start()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Before the first test, wherever it runs."""
    try:
        _server.wait()
    except NoServerError as error:
        pytest.exit(str(error), 1)


def pytest_unconfigure() -> None:
    _server.stop()


@pytest.fixture(scope="session")
def create_database(request: pytest.FixtureRequest) -> CreateDatabase:
    worker = getattr(request.config, "workerinput", {"workerid": "main"})["workerid"]

    def create(name: str, template: str = TEMPLATE) -> str:
        full_name = f"gatehouse_{worker}_{name}"
        with psycopg.connect(server_url(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {full_name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {full_name} TEMPLATE {template}")
        return with_database(server_url(), full_name)

    return create


@pytest.fixture(scope="session")
def owner_url(create_database: CreateDatabase) -> str:
    """The application's database, as the role that owns it."""
    return create_database("main")


@pytest.fixture(scope="session")
def owner(owner_url: str) -> Iterator[psycopg.Connection]:
    """For what the application's own role may not do: empty tables, look everywhere."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def settings(owner_url: str) -> Settings:
    """A project with settings of its own overrides it: `return settings.replace(LoanSettings(...))`."""
    return Settings(
        AppSettings(environment=Environment.TEST, origin=ORIGIN),
        # One connection carries the whole suite: a request that took two would wait for itself.
        PostgresSettings(url=make_conninfo(owner_url, user=SERVER_ROLE), pool_size=1),
        CookieSettings(secure=True),
        JwtSettings(secret="a secret for the tests, long enough"),
        PasswordSettings(pepper="a pepper for the tests, long enough", work_factor=4),
    )


@pytest.fixture(scope="session")
def overrides() -> tuple[Provider, ...]:
    """What a project puts in the place of its own adapters, for the time of the tests, by overriding this."""
    return ()


@pytest.fixture(scope="session")
def session_clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def clock(session_clock: FakeClock) -> FakeClock:
    """The application's. Each test begins now, and time stands still until it says otherwise."""
    session_clock.at = datetime.now(UTC)
    return session_clock


@pytest.fixture(scope="session")
async def fastapi_app(
    settings: Settings, overrides: tuple[Provider, ...], session_clock: FakeClock
) -> AsyncIterator[FastAPI]:
    parts = Provider(scope=Scope.APP)
    parts.provide(lambda: session_clock, provides=Clock)
    configure_logs(LogSettings(format=LogFormat.JSON))
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the client of the tests, which would name every request
    fastapi_app = create_app(settings, parts, *overrides, modules=modules_under_test())
    async with fastapi_app.router.lifespan_context(fastapi_app):
        yield fastapi_app


@pytest.fixture
async def container(fastapi_app: FastAPI) -> AsyncContainer:
    """What the application is made of; what belongs to one request comes from a scope of it."""
    container: AsyncContainer = fastapi_app.state.dishka_container
    return container


@pytest.fixture
async def database(container: AsyncContainer, owner: psycopg.Connection) -> Database:
    """The application's own pool, on an empty database."""
    await empty_database(container, owner)
    return await container.get(Database)


@pytest.fixture(scope="session")
def password_hashes() -> dict[str, str]:
    return {}


@pytest.fixture
async def app(
    fastapi_app: FastAPI,
    container: AsyncContainer,
    database: Database,
    clock: FakeClock,
    password_hashes: dict[str, str],
) -> AsyncIterator[RunningApp]:
    """The running application, on an empty database."""
    async with AsyncExitStack() as clients:
        yield RunningApp(fastapi_app, container, database, clock, clients, password_hashes)


@pytest.fixture
async def harness(settings: Settings, overrides: tuple[Provider, ...], database: Database) -> AsyncIterator[Harness]:
    """Use cases without HTTP, on the application's database, which is empty."""
    assert isinstance(database, Database)
    async with open_harness(settings, *overrides) as harness:
        yield harness


@pytest.fixture(params=["fake", "sql"])
async def gateways(
    request: pytest.FixtureRequest, container: AsyncContainer, database: Database, clock: FakeClock
) -> AsyncIterator[Gateways]:
    """Of both kinds: see contract.py."""
    assert isinstance(database, Database)
    fake = request.param == "fake"
    async with open_gateways(Gateways, fake=fake, container=container, clock=clock) as gateways:
        yield gateways
