"""One PostgreSQL for the whole run, one database for each worker, one application on a pool of one connection."""

import functools
import gc
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
import structlog
from dishka import AsyncContainer, Provider, Scope
from fastapi import FastAPI
from psycopg.conninfo import make_conninfo

from gatehouse.accounts.application.ports import PasswordHasher
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.settings import JwtSettings, PasswordSettings
from gatehouse.audit.infrastructure.failed_attempts import FailureWriter
from gatehouse.common.application.ports import Clock
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.infrastructure.embedded_postgres import embedded_postgres
from gatehouse.common.infrastructure.grants import ensure_role
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
from tests.database import SERVER_ROLE, delete_rows, prepare_schema
from tests.fakes import PASSWORD, FakeClock, make_user, store_user
from tests.modules import TESTED

SERVER_URL = "GATEHOUSE_TEST_SERVER_URL"
"""How the process that starts the server tells the workers where it is."""
OTHER_SERVER = "GATEHOUSE_TEST_POSTGRES_URL"
"""Names, to a superuser, a server to be used instead of an embedded one. What the tests make there stays."""
TEMPLATE = "gatehouse_template"
ORIGIN = "https://gatehouse.test"
LOGIN = "/api/v1/account/login"

SMALL_FUZZ_BUDGET = 4
_ROOM_FOR_CLUSTERS = 2 * 1024**3

gc.disable()  # until all tests are collected: what is imported stays

# httpx would look for it on the disk at every request, in vain.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]  # None is how Python is told that there is no such module

_running = ExitStack()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fuzz-examples", type=int, default=SMALL_FUZZ_BUDGET, help="how many random requests tests/fuzz makes a call"
    )


def pytest_configure(config: pytest.Config) -> None:
    is_worker = hasattr(config, "workerinput")
    if is_worker or config.option.collectonly:
        return
    url = os.environ.get(OTHER_SERVER) or _running.enter_context(embedded_postgres(_folder() / "postgres"))
    if OTHER_SERVER not in os.environ:
        _trust_the_disk(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {TEMPLATE}")
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    ensure_role(url, SERVER_ROLE)
    prepare_schema(with_database(url, TEMPLATE))
    os.environ[SERVER_URL] = url


def pytest_unconfigure() -> None:
    _running.close()


def pytest_collection_finish() -> None:
    """Modules and tests live as long as the run: without them, a collection is ten times as quick."""
    gc.collect()
    gc.freeze()
    gc.enable()


def _memory() -> str | None:
    """A folder that is no disk, where there is room in it: clusters come and go much faster there."""
    memory = Path("/dev/shm")  # noqa: S108  # for a folder of one's own in it
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > _ROOM_FOR_CLUSTERS else None


def _folder() -> Path:
    """For this process, which removes it at its end."""
    return Path(_running.enter_context(tempfile.TemporaryDirectory(prefix="gatehouse-tests-", dir=_memory())))


def _trust_the_disk(url: str) -> None:
    """The data lives no longer than this run, so nothing needs to survive a crash."""
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")


@functools.cache
def _model_cluster() -> Path:
    folder = _folder() / "postgres"
    with embedded_postgres(folder) as url:
        _trust_the_disk(url)
    return folder


def copy_cluster(to: Path) -> Path:
    """A cluster that no server uses. Quicker than to make one."""
    source = _model_cluster()
    for folder, _, files in os.walk(shutil.copytree(source, to)):
        for name in (".", *files):  # the copy belongs to whom the cluster does
            os.chown(Path(folder) / name, source.stat().st_uid, source.stat().st_gid)
    return to


@pytest.fixture
def cluster(tmp_path: Path) -> Path:
    """A cluster without a server, for an embedded one."""
    return copy_cluster(tmp_path / "postgres")


@pytest.fixture
def processes() -> Iterator[ExitStack]:
    """Stops the processes even if a test fails."""
    with ExitStack() as processes:
        yield processes


def with_database(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()


class CreateDatabase(Protocol):
    def __call__(self, name: str, template: str = TEMPLATE) -> str: ...


@pytest.fixture(scope="session")
def create_database(worker_id: str) -> CreateDatabase:
    """Makes a database of the given name for this worker alone, migrated unless told otherwise; gives back its URL."""

    def create(name: str, template: str = TEMPLATE) -> str:
        full_name = f"gatehouse_{worker_id}_{name}"
        with psycopg.connect(os.environ[SERVER_URL], autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {full_name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {full_name} TEMPLATE {template}")
        return with_database(os.environ[SERVER_URL], full_name)

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
    return Settings(
        AppSettings(environment=Environment.TEST, origin=ORIGIN),
        # One connection carries the whole suite: a request that took two would wait for itself.
        PostgresSettings(url=make_conninfo(owner_url, user=SERVER_ROLE), pool_size=1),
        CookieSettings(secure=True),
        JwtSettings(secret="a secret for the tests, long enough"),
        PasswordSettings(pepper="a pepper for the tests, long enough", work_factor=4),
    )


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    root, configuration = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.configure(**configuration)


@pytest.fixture(scope="session")
def session_clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def clock(session_clock: FakeClock) -> FakeClock:
    session_clock.at = datetime.now(UTC)
    return session_clock


@pytest.fixture(scope="session")
async def fastapi_app(settings: Settings, session_clock: FakeClock) -> AsyncIterator[FastAPI]:
    parts = Provider(scope=Scope.APP)
    parts.provide(lambda: session_clock, provides=Clock)
    configure_logs(LogSettings(format=LogFormat.JSON))
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the client of the tests, which would name every request
    fastapi_app = create_app(settings, parts, modules=TESTED)
    async with fastapi_app.router.lifespan_context(fastapi_app):
        yield fastapi_app


@pytest.fixture
async def container(fastapi_app: FastAPI) -> AsyncContainer:
    container: AsyncContainer = fastapi_app.state.dishka_container
    return container


@pytest.fixture
async def database(container: AsyncContainer, owner: psycopg.Connection) -> Database:
    """The application's own pool, on an empty database."""
    await (await container.get(FailureWriter)).flush()
    delete_rows(owner)
    return await container.get(Database)


@dataclass
class RunningApp:
    """The running application, seen from outside: who lives in it and how to talk to it."""

    fastapi_app: FastAPI
    container: AsyncContainer
    database: Database
    clock: FakeClock
    clients: AsyncExitStack
    password_hashes: dict[str, str] = field(default_factory=dict)
    """Those made for `add_user`, by password: hashing for each account would take a third of the time of many tests."""

    async def add_user(
        self, username: str, role: Role = Role.USER, *, password: str = PASSWORD, is_active: bool = True
    ) -> User:
        """An account, put into the database past every rule."""
        async with self.container() as request:
            if password not in self.password_hashes:
                hasher = await request.get(PasswordHasher)
                self.password_hashes[password] = await hasher.hash(password, client="tests")
            password_hash = self.password_hashes[password]
            user = make_user(username, role, self.clock.now(), is_active=is_active, password_hash=password_hash)
            await store_user(request, user)
        return user

    async def client(self, **headers: str) -> httpx.AsyncClient:
        """A browser's worth of cookies, not logged in."""
        transport = httpx.ASGITransport(self.fastapi_app)
        client = httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)
        return await self.clients.enter_async_context(client)

    async def log_in(self, username: str, password: str = PASSWORD) -> httpx.AsyncClient:
        client = await self.client()
        answer = await client.post(LOGIN, json={"username": username, "password": password})
        assert answer.status_code == HTTPStatus.NO_CONTENT, answer.text
        return client

    async def logged_in(self, username: str, role: Role = Role.USER) -> httpx.AsyncClient:
        """A new account with an open session."""
        await self.add_user(username, role)
        return await self.log_in(username)


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
    async with AsyncExitStack() as clients:
        yield RunningApp(fastapi_app, container, database, clock, clients, password_hashes)
