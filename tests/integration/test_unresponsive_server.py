"""A server that says nothing: frozen, or behind a network that has swallowed the connection."""

import asyncio
import gc
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import psycopg
import pytest
from psycopg.rows import scalar_row

from gatehouse.accounts.infrastructure.users import SqlUsers
from gatehouse.common.application.write_position import WritePosition
from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure import database_connection
from gatehouse.common.infrastructure.database import Database, open_database
from gatehouse.common.infrastructure.database_connection import ServerConnection
from gatehouse.common.infrastructure.embedded_postgres import embedded_postgres
from gatehouse.common.infrastructure.migrations import migrate
from gatehouse.common.infrastructure.transaction import SqlTransaction
from gatehouse.common.settings import PostgresSettings, Settings
from gatehouse.testing.answers import assert_problem
from gatehouse.testing.fakes import make_user
from gatehouse.testing.run_app import run_app
from gatehouse.testing.under_test import modules_under_test
from tests.conftest import copy_cluster
from tests.integration.conftest import until
from tests.integration.embedded import server_pid
from tests.integration.proxied_postgres import Proxy, run_proxy

pytestmark = [pytest.mark.promise("R1"), pytest.mark.slow]

LIMIT = 0.5
"""Instead of seven seconds."""
SOON = 20.0
"""Much longer than it takes on any machine. Without a limit it takes as long as the silence lasts."""
CANCELLED_SOON = 6.0
"""The driver alone takes ten seconds."""


@pytest.fixture
def short_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_connection, "ANSWER_WITHIN_SECONDS", LIMIT)


class Silence(Protocol):
    def __call__(self) -> AbstractContextManager[None]: ...


@dataclass
class Server:
    url: str
    silent: Silence
    """Meanwhile it says nothing, to old connections and to new ones."""


def frozen(url: str, data_dir: Path) -> Silence:
    @contextmanager
    def freeze() -> Iterator[None]:
        with psycopg.connect(url) as connection:
            backends = connection.execute("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()").fetchall()
        postmaster = server_pid(data_dir)
        assert postmaster is not None
        pids = [postmaster, *(pid for (pid,) in backends)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    return freeze


def swallowed(proxy: Proxy) -> Silence:
    @contextmanager
    def swallow() -> Iterator[None]:
        proxy.fall_silent()
        try:
            yield
        finally:
            proxy.speak()

    return swallow


@pytest.fixture(scope="module")
def migrated_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    cluster = copy_cluster(tmp_path_factory.mktemp("unresponsive") / "postgres")
    with embedded_postgres(cluster) as url:
        migrate(url, modules_under_test().migration_lines)
        yield url, cluster


@pytest.fixture(params=["frozen", "swallowed"])
async def server(request: pytest.FixtureRequest, migrated_cluster: tuple[str, Path]) -> AsyncIterator[Server]:
    url, cluster = migrated_cluster
    with psycopg.connect(url) as owner:
        owner.execute("DELETE FROM sessions; DELETE FROM users")
    if request.param == "frozen":
        yield Server(url, frozen(url, cluster))
        return
    async with run_proxy(url) as proxy:
        yield Server(proxy.url, swallowed(proxy))


async def answer(database: Database) -> bool:
    return await database.fetch_one("SELECT true", {}, scalar_row) is True


async def fill(database: Database) -> None:
    """So many connections, all of them at rest."""
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(database.fetch_one("SELECT pg_sleep(0.1)::text", {}, scalar_row))


@pytest.mark.usefixtures("short_limit")
async def test_every_request_in_flight_or_new_is_answered_and_the_next_ones_work(
    settings: Settings, server: Server
) -> None:
    postgres = replace(settings[PostgresSettings], url=server.url, pool_size=4)
    async with run_app(settings.replace(postgres)) as app:
        client, newcomer = await app.logged_in("alice"), await app.client()
        await fill(app.database)

        with server.silent():
            async with asyncio.timeout(SOON):
                in_flight = await asyncio.gather(*(client.get("/api/v1/account/me") for _ in range(8)))
            async with asyncio.timeout(SOON):
                later = [await client.delete("/api/v1/account/logout"), await newcomer.get("/readyz")]
        for answer in (*in_flight, *later):
            assert_problem(answer, "unavailable")

        async def works() -> bool:
            return (await newcomer.get("/readyz")).status_code == 200

        await until(works, SOON)


@pytest.mark.usefixtures("short_limit")
async def test_an_error_of_one_s_own_in_a_transaction_waits_for_one_limit_at_most(server: Server) -> None:
    async with open_database(server.url, 1) as database:

        async def fail() -> None:
            async with (transaction := SqlTransaction(database, WritePosition)):
                await SqlUsers(transaction).add(make_user())
                stack.enter_context(server.silent())
                raise LookupError

        with ExitStack() as stack:
            async with asyncio.timeout(SOON):
                with pytest.raises(LookupError):
                    await fail()


async def test_a_cancelled_request_gives_its_connection_back(server: Server) -> None:
    async with open_database(server.url, 1) as database:
        await answer(database)
        with server.silent():
            request = asyncio.create_task(answer(database))
            await asyncio.wait({request}, timeout=LIMIT)
            request.cancel()
            ended, _ = await asyncio.wait({request}, timeout=CANCELLED_SOON)
            assert ended

        async def works() -> bool:
            try:
                return await answer(database)
            except UnavailableError:
                return False

        await until(works, SOON)


async def test_the_pool_is_closed_without_its_server(server: Server) -> None:
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(server.url, 4))
        await fill(database)
        stack.enter_context(server.silent())
        request = asyncio.create_task(answer(database))
        await asyncio.wait({request}, timeout=LIMIT)
        closing = asyncio.create_task(database.close())
        request.cancel()
        ended, _ = await asyncio.wait({closing, request}, timeout=CANCELLED_SOON)
        assert len(ended) == 2


async def test_a_connection_that_is_not_made_in_time_is_closed_at_once() -> None:
    """Or a server that comes back has clients of which nobody knows, until it takes no others."""
    gc.disable()
    try:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/none"
            with pytest.raises(psycopg.errors.ConnectionTimeout):
                await ServerConnection.connect(url, connect_timeout=2)
            accepted, _ = silent.accept()
            with accepted:
                accepted.settimeout(SOON)
                while accepted.recv(1024):
                    pass  # what the driver began with
    finally:
        gc.enable()
