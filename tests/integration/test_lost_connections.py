"""Connections end without a word: by a restart, a failover, a firewall. One call may notice, and no more."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from psycopg.rows import scalar_row

from gatehouse.accounts.domain.username import Username
from gatehouse.accounts.infrastructure.users import SqlUsers
from gatehouse.common.application.write_position import WritePosition
from gatehouse.common.domain.errors import OutcomeUnknownError, UnavailableError
from gatehouse.common.infrastructure.database import Database, open_database
from gatehouse.common.infrastructure.transaction import SqlTransaction
from gatehouse.testing.fakes import make_user
from tests.integration.conftest import DatabaseMonitor

pytestmark = pytest.mark.slow


async def answers(database: Database) -> bool:
    return await database.fetch_one("SELECT 1", {}, scalar_row) == 1


async def test_a_connection_lost_in_a_transaction_is_unavailable_once(
    small_pool: Database, monitor: DatabaseMonitor
) -> None:
    transaction = SqlTransaction(small_pool, WritePosition)

    async def lose_it_before_a_statement() -> None:
        async with transaction:
            await SqlUsers(transaction).add(make_user())
            await monitor.terminate_all()
            await SqlUsers(transaction).find(Username("alice"))

    with pytest.raises(UnavailableError):
        await lose_it_before_a_statement()

    async with transaction:
        assert await SqlUsers(transaction).find(Username("alice")) is None


async def test_a_connection_lost_before_the_commit_leaves_the_outcome_unknown_once(
    small_pool: Database, monitor: DatabaseMonitor
) -> None:
    transaction = SqlTransaction(small_pool, WritePosition)

    async def lose_it_before_the_commit() -> None:
        async with transaction:
            await SqlUsers(transaction).add(make_user())
            await monitor.terminate_all()

    with pytest.raises(OutcomeUnknownError):  # a server that is shut down says the same before a commit and after it
        await lose_it_before_the_commit()

    async with transaction:
        assert await SqlUsers(transaction).find(Username("alice")) is None


async def test_an_error_of_one_s_own_is_not_hidden_by_a_lost_connection(
    small_pool: Database, monitor: DatabaseMonitor
) -> None:
    async def lose_it_and_fail() -> None:
        async with (transaction := SqlTransaction(small_pool, WritePosition)):
            await SqlUsers(transaction).add(make_user())
            await monitor.terminate_all()
            raise LookupError

    with pytest.raises(LookupError):
        await lose_it_and_fail()

    assert await answers(small_pool)


async def test_a_connection_lost_while_resting_costs_a_command_one_call_at_most(
    small_pool: Database, monitor: DatabaseMonitor
) -> None:
    assert await answers(small_pool)
    await monitor.terminate_all()

    transaction = SqlTransaction(small_pool, WritePosition)
    try:
        async with transaction:
            await SqlUsers(transaction).add(make_user())
    except UnavailableError:
        assert not await monitor.user("alice")
        async with transaction:
            await SqlUsers(transaction).add(make_user())

    assert await monitor.user("alice")


async def test_a_connection_lost_while_resting_costs_a_query_one_call_at_most(
    small_pool: Database, monitor: DatabaseMonitor
) -> None:
    assert await answers(small_pool)
    await monitor.terminate_all()

    try:
        assert await answers(small_pool)
    except UnavailableError:
        assert await answers(small_pool)


@pytest.fixture
async def pool_of_four(own_url: str) -> AsyncIterator[Database]:
    async with open_database(own_url, 4) as pool:
        yield pool


async def query(database: Database) -> None:
    assert await answers(database)


async def carry_out(database: Database) -> None:
    async with (transaction := SqlTransaction(database, WritePosition)):
        await SqlUsers(transaction).find(Username("alice"))


@pytest.mark.parametrize("call", [query, carry_out])
async def test_however_many_connections_are_lost_one_call_fails_at_most(
    pool_of_four: Database, monitor: DatabaseMonitor, call: Callable[[Database], Awaitable[None]]
) -> None:
    async with AsyncExitStack() as transactions:
        for _ in range(4):
            await transactions.enter_async_context(SqlTransaction(pool_of_four, WritePosition))
    assert len(await monitor.waits()) == 4
    await monitor.terminate_all()

    failures = 0
    for _ in range(4):
        try:
            await call(pool_of_four)
        except UnavailableError:
            failures += 1

    assert failures <= 1


async def test_a_connection_lost_beside_an_error_of_one_s_own_tells_of_the_other_ones_too(
    pool_of_four: Database, monitor: DatabaseMonitor
) -> None:
    async def lose_all_and_fail() -> None:
        async with (transaction := SqlTransaction(pool_of_four, WritePosition)):
            await SqlUsers(transaction).find(Username("alice"))
            async with AsyncExitStack() as transactions:
                for _ in range(3):
                    await transactions.enter_async_context(SqlTransaction(pool_of_four, WritePosition))
            await monitor.terminate_all()
            raise LookupError

    with pytest.raises(LookupError):
        await lose_all_and_fail()

    for _ in range(4):
        await carry_out(pool_of_four)


async def test_a_lost_connection_makes_nobody_wait_for_the_silent_ones(
    pool_of_four: Database, monitor: DatabaseMonitor
) -> None:
    async with AsyncExitStack() as transactions:
        for _ in range(4):
            await transactions.enter_async_context(SqlTransaction(pool_of_four, WritePosition))
    first, *other_backends = [connection.info.backend_pid for connection in pool_of_four._pool._pool]
    for backend in other_backends:
        os.kill(backend, signal.SIGSTOP)
    try:
        await monitor.execute(f"SELECT pg_terminate_backend({first}, 5000)")
        call = asyncio.create_task(answers(pool_of_four))
        finished_tasks, _ = await asyncio.wait({call}, timeout=5)
    finally:
        for backend in other_backends:
            os.kill(backend, signal.SIGCONT)

    assert finished_tasks
    with pytest.raises(UnavailableError):
        await call
    assert await answers(pool_of_four)
