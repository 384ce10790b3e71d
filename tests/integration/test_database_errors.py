import asyncio
from dataclasses import replace
from typing import LiteralString

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.rows import scalar_row
from sqlalchemy import text

from gatehouse.accounts.domain.errors import UsernameTakenError
from gatehouse.accounts.domain.username import Username
from gatehouse.accounts.infrastructure.users import SqlUsers
from gatehouse.common.application.write_position import WritePosition
from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.database import Database, open_database
from gatehouse.common.infrastructure.database_errors import DatabaseError, ErrorTranslation
from gatehouse.common.infrastructure.transaction import SqlTransaction
from gatehouse.testing.database import SERVER_ROLE
from gatehouse.testing.fakes import make_user
from tests.integration.conftest import DatabaseMonitor

POOL_WAIT = "gatehouse.common.infrastructure.database.POOL_WAIT_SECONDS"


async def answers(database: Database) -> bool:
    return await database.fetch_one("SELECT 1", {}, scalar_row) == 1


async def test_a_taken_username_is_known_by_its_constraint(small_pool: Database) -> None:
    transaction = SqlTransaction(small_pool, WritePosition)
    async with transaction:
        await SqlUsers(transaction).add(make_user())

    with pytest.raises(UsernameTakenError):
        async with transaction:
            await SqlUsers(transaction).add(make_user())


async def test_another_unique_constraint_is_not_mistaken_for_it(small_pool: Database) -> None:
    transaction = SqlTransaction(small_pool, WritePosition)
    alice = make_user()
    async with transaction:
        await SqlUsers(transaction).add(alice)

    with pytest.raises(DatabaseError, match="UniqueViolation, SQLSTATE 23505, constraint pk_users"):
        async with transaction:
            await SqlUsers(transaction).add(replace(alice, username=Username("bobby")))


def refusal_of(owner_url: str, *statements: LiteralString) -> psycopg.Error:
    """Of the last of the statements, with nothing left of those before it."""
    *first, last = statements
    with psycopg.connect(owner_url) as owner, owner.transaction(force_rollback=True):
        for statement in first:
            owner.execute(statement)
        with pytest.raises(psycopg.Error) as caught, owner.transaction():
            owner.execute(last)
    return caught.value


def test_what_an_exclusion_constraint_refuses_is_known_by_its_name(owner_url: str) -> None:
    error = refusal_of(
        owner_url,
        "CREATE TABLE slots (during int4range, CONSTRAINT ex_slots EXCLUDE USING gist (during WITH &&))",
        "INSERT INTO slots VALUES ('[1,3)'), ('[2,4)')",
    )

    assert isinstance(ErrorTranslation({"ex_slots": UsernameTakenError}).translate_error(error), UsernameTakenError)
    assert str(ErrorTranslation({}).translate_error(error)) == "ExclusionViolation, SQLSTATE 23P01, constraint ex_slots"


def test_a_privilege_that_is_missing_names_the_table(owner_url: str) -> None:
    error = refusal_of(owner_url, f"SET ROLE {SERVER_ROLE}", "DELETE FROM alembic_version")

    said = "InsufficientPrivilege, SQLSTATE 42501: permission denied for table alembic_version"
    assert str(ErrorTranslation({}).translate_error(error)) == said


async def test_waiting_too_long_for_a_lock_is_unavailable(small_pool: Database, monitor: DatabaseMonitor) -> None:
    transaction = SqlTransaction(small_pool, WritePosition)
    async with transaction:
        await SqlUsers(transaction).add(make_user())

    async def wait() -> None:
        async with transaction:
            await transaction.connection.execute(text("SET LOCAL lock_timeout = '20ms'"))
            await SqlUsers(transaction).lock(Username("alice"))

    async with monitor.transaction("LOCK TABLE users"):
        with pytest.raises(UnavailableError):
            await wait()

    assert await answers(small_pool)


async def test_a_command_s_statement_that_takes_too_long_is_unavailable(small_pool: Database) -> None:
    async def take_long() -> None:
        async with (transaction := SqlTransaction(small_pool, WritePosition)):
            await transaction.connection.execute(text("SET LOCAL statement_timeout = '20ms'"))
            await transaction.connection.execute(text("SELECT pg_sleep(60)"))

    with pytest.raises(UnavailableError):
        await take_long()

    assert await answers(small_pool)


async def test_a_query_that_takes_too_long_is_unavailable(small_pool: Database) -> None:
    await small_pool.execute("SET statement_timeout = '20ms'", {})

    with pytest.raises(UnavailableError):
        await small_pool.execute("SELECT pg_sleep(60)", {})

    assert await answers(small_pool)


@pytest.mark.parametrize(
    ("limit", "value"),
    [("statement_timeout", "5s"), ("lock_timeout", "2s"), ("idle_in_transaction_session_timeout", "10s")],
)
async def test_every_connection_has_time_limits(small_pool: Database, limit: str, value: str) -> None:
    setting = await small_pool.fetch_one("SELECT current_setting(%(limit)s)", {"limit": limit}, scalar_row)

    assert setting == value


async def test_a_server_that_falls_silent_is_given_up(small_pool: Database) -> None:
    """As libpq's manual has it: in seconds, but for tcp_user_timeout."""
    connection = await small_pool._acquire()
    limits = connection.info.get_parameters()
    await small_pool._pool.putconn(connection)

    assert int(limits["connect_timeout"]) <= 3
    assert int(limits["keepalives_idle"]) + int(limits["keepalives_interval"]) * int(limits["keepalives_count"]) <= 60
    assert int(limits["tcp_user_timeout"]) <= 10_000
    assert small_pool._pool.timeout <= 2
    assert small_pool._pool.reconnect_timeout <= 2


async def test_a_deadlock_is_unavailable(small_pool: Database, monitor: DatabaseMonitor) -> None:
    async def command() -> None:
        async with (transaction := SqlTransaction(small_pool, WritePosition)):
            await transaction.connection.execute(text("SET LOCAL deadlock_timeout = '10ms'"))
            await transaction.connection.execute(text("LOCK TABLE sessions"))
            has_lock.set()
            await transaction.connection.execute(text("LOCK TABLE users"))

    has_lock = asyncio.Event()
    async with monitor.transaction("LOCK TABLE users"):
        task = asyncio.create_task(command())
        await has_lock.wait()
        await monitor.execute("SET LOCAL deadlock_timeout = '10s'")
        other_task = asyncio.create_task(monitor.execute("LOCK TABLE sessions"))
        with pytest.raises(UnavailableError):
            await task
        await other_task

    assert await answers(small_pool)


async def test_a_call_cancelled_before_its_connection_is_ready_gives_it_back(
    small_pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_reached = asyncio.Event()

    async def take_forever(*_: object) -> None:
        is_reached.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as slow_driver:
        slow_driver.setattr(AsyncConnection, "set_autocommit", take_forever)
        call = asyncio.create_task(SqlTransaction(small_pool, WritePosition).__aenter__())
        await is_reached.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    assert await answers(small_pool)


async def test_an_exhausted_pool_is_unavailable(own_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(POOL_WAIT, 0.05)
    async with open_database(own_url, 1) as pool:
        async with SqlTransaction(pool, WritePosition):
            with pytest.raises(UnavailableError):
                await answers(pool)
            with pytest.raises(UnavailableError):
                await SqlTransaction(pool, WritePosition).__aenter__()

        assert await answers(pool)


async def test_a_server_that_cannot_be_reached_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(POOL_WAIT, 0.05)
    async with open_database("postgresql://nobody@127.0.0.1:1/nothing", 1) as pool:
        with pytest.raises(UnavailableError):
            await answers(pool)
        with pytest.raises(UnavailableError):
            async with SqlTransaction(pool, WritePosition):
                pass
