import os
import signal
import time

import httpx
import pytest
from psycopg.rows import scalar_row

from gatehouse.common.infrastructure.migrations import migrate
from gatehouse.common.settings import Settings
from gatehouse.testing.answers import assert_problem
from gatehouse.testing.database import CreateDatabase
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import RunningApp, on_database, without_database
from gatehouse.testing.under_test import modules_under_test

OK = {"status": "ok"}


def assert_not_ready(answer: httpx.Response) -> None:
    """Its detail may say more than the title: the operator reads it."""
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/unavailable"
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("path", ["/readyz", "/livez", "/api/v1/"])
async def test_a_healthy_service_says_so(app: RunningApp, path: str) -> None:
    answer = await (await app.client()).get(path)

    assert (answer.status_code, answer.json()) == (200, OK)


async def test_a_database_without_a_schema_is_not_ready_until_it_is_migrated(
    settings: Settings, create_database: CreateDatabase
) -> None:
    url = create_database("empty", template="template0")
    async with run_app(on_database(settings, url)) as app:
        client = await app.client()
        assert_not_ready(answer := await client.get("/readyz"))
        assert "alembic" not in answer.text

        migrate(url, modules_under_test().migration_lines)

        assert (await client.get("/readyz")).status_code == 200


@pytest.mark.promise("R3")
@pytest.mark.parametrize("another", ["another", "0000", "0001", "10000", ""])
async def test_a_database_at_another_revision_is_not_ready(
    settings: Settings, create_database: CreateDatabase, another: str
) -> None:
    async with run_app(on_database(settings, create_database("older"))) as app:
        await app.database.execute("UPDATE alembic_version SET version_num = %(another)s", {"another": another})

        answer = await (await app.client()).get("/readyz")

        assert_not_ready(answer)
        assert "another" not in answer.text


@pytest.mark.promise("R3")
async def test_a_database_that_a_later_version_has_migrated_is_ready(
    settings: Settings, create_database: CreateDatabase
) -> None:
    async with run_app(on_database(settings, create_database("newer"))) as app:
        await app.database.execute("UPDATE alembic_version SET version_num = '9999'", {})

        assert (await (await app.client()).get("/readyz")).status_code == 200


@pytest.mark.slow
async def test_without_a_database_it_says_so_within_a_second_or_so(settings: Settings) -> None:
    async with run_app(without_database(settings)) as app:
        client = await app.client()
        start = time.monotonic()

        assert_problem(await client.get("/readyz"), "unavailable")

        assert time.monotonic() - start < 1.8  # a request that waits for a connection takes two seconds


@pytest.mark.slow
async def test_a_locked_table_is_not_waited_for(settings: Settings, create_database: CreateDatabase) -> None:
    async with run_app(on_database(settings, create_database("locked"), pool_size=2)) as app:
        async with app.database.engine.begin() as connection:
            await connection.exec_driver_sql("LOCK TABLE alembic_version")
            start = time.monotonic()

            assert_problem(await (await app.client()).get("/readyz"), "unavailable")

            assert time.monotonic() - start < 1.8
        assert (await (await app.client()).get("/readyz")).status_code == 200


@pytest.mark.slow
async def test_a_silent_database_is_not_waited_for(settings: Settings, create_database: CreateDatabase) -> None:
    url = create_database("silent")
    async with run_app(on_database(settings, url)) as app:
        client = await app.client()
        backend = await app.database.fetch_one("SELECT pg_backend_pid()", {}, scalar_row)
        assert backend is not None
        start = time.monotonic()
        os.kill(backend, signal.SIGSTOP)
        try:
            assert_problem(await client.get("/readyz"), "unavailable")
        finally:
            os.kill(backend, signal.SIGCONT)

        assert time.monotonic() - start < 1.8


async def test_being_alive_asks_no_database(settings: Settings) -> None:
    async with run_app(without_database(settings)) as app:
        client = await app.client()
        start = time.monotonic()

        for path in ("/livez", "/api/v1/"):
            answer = await client.get(path, headers={"cookie": "__Host-session=a; __Host-session=b"})
            assert (answer.status_code, answer.json()) == (200, OK)

        assert time.monotonic() - start < 0.9
