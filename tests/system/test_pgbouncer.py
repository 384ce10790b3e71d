"""Behind PgBouncer in transaction mode, where the next statement may be on another server connection."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import scalar_row, tuple_row
from structlog.testing import capture_logs

from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.infrastructure.users import SqlUsers
from gatehouse.common.application.write_position import WritePosition
from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.database import Database, open_database
from gatehouse.common.infrastructure.database_connection import SERVER_LIMITS
from gatehouse.common.infrastructure.grants import ensure_role
from gatehouse.common.infrastructure.transaction import SqlTransaction
from gatehouse.common.settings import PostgresSettings, Settings
from gatehouse.setup.cli import main
from gatehouse.testing.database import SERVER_ROLE, delete_rows, prepare_schema
from gatehouse.testing.fakes import make_user
from gatehouse.testing.run_app import run_app
from tests.integration.conftest import until
from tests.integration.replication import Server, run_server
from tests.system.pgbouncer import SERVER_CONNECTIONS, run_pgbouncer

pytestmark = pytest.mark.promise("R7")

POOL_SIZE = 8
ROWS = 6000
"""More than an import's batch."""
LIMITS = f"SELECT {', '.join(f"current_setting('{name}')" for name in SERVER_LIMITS)}"
HINT = (
    "gatehouse: postgres.pooler: a pooler such as PgBouncer does not pass the time limits on to the server; "
    "set it to true\n"
)


@pytest.fixture(scope="module")
def migrated_server() -> Iterator[Server]:
    with run_server(timezone="Europe/Berlin") as server:
        ensure_role(server.url, SERVER_ROLE)
        prepare_schema(server.url)
        yield server


@pytest.fixture
def server(migrated_server: Server) -> Server:
    """Without data, and with a role of which nothing has been said yet."""
    with psycopg.connect(migrated_server.url, autocommit=True) as owner:
        delete_rows(owner)
        owner.execute(f"ALTER ROLE {SERVER_ROLE} IN DATABASE postgres RESET ALL")
    return migrated_server


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    with run_pgbouncer(server) as url:
        yield url


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with open_database(url, POOL_SIZE, through_pooler=True) as database:
        yield database


async def limits(database: Database) -> tuple[object, ...] | None:
    return await database.fetch_one(LIMITS, {}, tuple_row)


async def test_the_whole_service_works_behind_it(settings: Settings, url: str) -> None:
    postgres = replace(settings[PostgresSettings], url=url, pool_size=POOL_SIZE, pooler=True)
    async with run_app(settings.replace(postgres)) as app:
        admin = await app.logged_in("admin", Role.ADMIN)
        names = [f"user-{number}" for number in range(20)]
        body = {"password": "nine rivers under a lantern"}
        created = await asyncio.gather(
            *(admin.post("/api/v1/users/", json={**body, "username": name}) for name in names)
        )
        assert [answer.json()["username"] for answer in created] == names

        for _ in range(3):
            found = await asyncio.gather(*(admin.get(f"/api/v1/users/{name}") for name in names))
            assert [answer.json()["username"] for answer in found] == names
        assert found[0].json()["created_at"].endswith("Z")


async def test_no_client_gets_the_prepared_statement_of_another(url: str) -> None:
    """A statement is prepared when it recurs, under a name that counts from one in every client."""
    async with AsyncExitStack() as stack:
        databases = [
            await stack.enter_async_context(open_database(url, 1, through_pooler=True)) for _ in range(POOL_SIZE)
        ]

        async def ask(number: int) -> list[object]:
            statement = f"SELECT {number} + %(one)s::int"
            return [await databases[number].fetch_one(statement, {"one": 1}, scalar_row) for _ in range(20)]

        answers = await asyncio.gather(*map(ask, range(POOL_SIZE)))

    assert answers == [[number + 1] * 20 for number in range(POOL_SIZE)]


async def test_the_limits_are_in_force_on_every_server_connection_in_and_out_of_transactions(
    database: Database, server: Server
) -> None:
    expected = tuple(SERVER_LIMITS.values())

    async def look(number: int) -> tuple[object, ...] | None:
        await database.fetch_one("SELECT pg_sleep(0.05)::text", {}, scalar_row)
        if number % 2:
            return await limits(database)
        async with database.transaction() as connection:
            return await (await connection.execute(LIMITS)).fetchone()

    async def look_often() -> list[object]:
        return await asyncio.gather(*map(look, range(2 * POOL_SIZE)))

    assert await look_often() == [expected] * 2 * POOL_SIZE
    backends = "FROM pg_stat_activity WHERE usename = %s"
    assert server.fetch_value(f"SELECT count(*) {backends}", SERVER_ROLE) == SERVER_CONNECTIONS

    server.fetch_value(f"SELECT count(pg_terminate_backend(pid, 5000)) {backends}", SERVER_ROLE)

    async def works() -> bool:
        try:
            return await limits(database) is not None
        except UnavailableError:
            return False

    await until(works)
    assert await look_often() == [expected] * 2 * POOL_SIZE


async def test_a_server_connection_from_before_gets_them_too(url: str) -> None:
    with psycopg.connect(url) as earlier:
        assert earlier.execute("SHOW statement_timeout").fetchone() == ("0",)

    async with open_database(url, 1, through_pooler=True) as database:
        assert await limits(database) == tuple(SERVER_LIMITS.values())


async def test_servers_that_start_together_set_them_one_after_the_other(url: str, server: Server) -> None:
    with psycopg.connect(server.url) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtext('gatehouse limits'))")
        for name, value in SERVER_LIMITS.items():
            other.execute(f"ALTER ROLE {SERVER_ROLE} IN DATABASE postgres SET {name} = '{value}'")
        async with open_database(url, 1, through_pooler=True) as database:

            async def waits() -> bool:
                waiting = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND wait_event_type = 'Lock'"
                return server.fetch_value(waiting, SERVER_ROLE) == 1

            await until(waits)
            other.commit()

            assert await limits(database) == tuple(SERVER_LIMITS.values())
            assert database._pool.get_stats()["connections_num"] == 1, "it had to try again"


async def test_it_is_the_server_that_ends_a_statement_and_a_wait_for_a_lock(database: Database, server: Server) -> None:
    with capture_logs() as logs, pytest.raises(UnavailableError):
        await database.fetch_one("SELECT pg_sleep(60)::text", {}, scalar_row)
    assert [line["sqlstate"] for line in logs] == ["57014"]

    async def save_alice() -> None:
        async with (transaction := SqlTransaction(database, WritePosition)):
            await SqlUsers(transaction).add(make_user())

    with psycopg.connect(server.url) as owner, capture_logs() as logs:
        owner.execute("LOCK TABLE users")
        with pytest.raises(UnavailableError):
            await save_alice()
    assert [line["sqlstate"] for line in logs] == ["55P03"]


@pytest.mark.parametrize("further", [(), ("ignore_startup_parameters = options",)], ids=["refuses", "ignores"])
def test_without_the_setting_one_line_says_what_to_do(
    server: Server,
    further: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    logs_as_before: None,
) -> None:
    assert logs_as_before is None
    secrets = {"GATEHOUSE_JWT__SECRET": "signs " * 8, "GATEHOUSE_PASSWORD__PEPPER": "peppers " * 8}
    with run_pgbouncer(server, *further) as url:
        for name, value in {**secrets, "GATEHOUSE_APP__ENVIRONMENT": "test", "GATEHOUSE_POSTGRES__URL": url}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["gatehouse", "purge-sessions"])

        with pytest.raises(SystemExit) as caught:
            main()

    assert (caught.value.code, *capsys.readouterr()) == (1, "", HINT)


def test_users_go_in_and_out_through_it(server: Server, url: str, tmp_path: Path) -> None:
    """Each batch has a temporary table, which must not be met by another client of its server connection."""
    row = '{{"username": "user-{0}", "password_hash": "!"}}\n'
    for file in ("first", "second"):
        (tmp_path / f"{file}.ndjson").write_text("".join(row.format(f"{file}{n}") for n in range(ROWS)))
    environ = {
        **os.environ,
        "GATEHOUSE_JWT__SECRET": "signs " * 8,
        "GATEHOUSE_PASSWORD__PEPPER": "peppers " * 8,
        "GATEHOUSE_APP__ENVIRONMENT": "test",
        "GATEHOUSE_POSTGRES__URL": url,
        "GATEHOUSE_POSTGRES__POOLER": "true",
    }

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [str(Path(sys.executable).with_name("gatehouse")), *arguments]
        return subprocess.Popen(command, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True)

    imports = [start("import-users", f"{file}.ndjson") for file in ("first", "second")]
    for process in imports:
        _, told = process.communicate(timeout=120)
        assert process.returncode == 0, told
    export = start("export-users", "--output", "all.csv", "--with-hashes")
    _, told = export.communicate(timeout=120)

    assert export.returncode == 0, told
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 1 + 2 * ROWS
    assert server.fetch_value("SELECT count(*) FROM users") == 2 * ROWS
    temporary = "SELECT count(*) FROM pg_class WHERE relpersistence = 't'"
    assert server.fetch_value(temporary) == 0
