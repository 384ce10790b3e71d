"""The short way in and out of the pool keeps what the pool promises."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import pytest
from psycopg.pq import TransactionStatus
from psycopg_pool import PoolTimeout

from gatehouse.common.infrastructure.database_pool import (
    IN_USE,
    MAX_SIZE,
    PRIMARY,
    REFUSALS,
    SIZE,
    WAITS,
    ConnectionPool,
)
from gatehouse.testing.fakes import FakeMetrics

CONNECTIONS = 3


@pytest.fixture
async def pool(own_url: str) -> AsyncIterator[ConnectionPool]:
    pool = ConnectionPool(own_url, CONNECTIONS, wait_seconds=2, through_pooler=False)
    await pool.open(wait=True)
    yield pool
    await pool.close()


async def test_a_connection_that_was_given_back_is_used_again(pool: ConnectionPool) -> None:
    taken = [await pool.getconn() for _ in range(CONNECTIONS)]
    for connection in taken:
        await pool.putconn(connection)

    assert all(connection._pool is None for connection in taken)  # or they would keep each other from being freed
    assert [await pool.getconn() for _ in range(CONNECTIONS)] == taken
    for connection in taken:
        await pool.putconn(connection)


async def test_whoever_waits_gets_the_connection_that_is_given_back(pool: ConnectionPool) -> None:
    taken = [await pool.getconn() for _ in range(CONNECTIONS)]
    waiting = asyncio.create_task(pool.getconn())
    await asyncio.sleep(0)
    assert pool.get_stats()["requests_waiting"] == 1

    await pool.putconn(taken[0])

    assert await waiting is taken[0]
    for connection in taken:
        await pool.putconn(connection)


async def test_a_connection_that_is_too_old_is_closed(pool: ConnectionPool) -> None:
    connection = await pool.getconn()
    connection._expire_at = monotonic()  # the pool's own note

    await pool.putconn(connection)

    assert connection.closed


async def test_a_connection_from_before_a_drain_is_closed(pool: ConnectionPool) -> None:
    connection = await pool.getconn()
    await pool.drain()

    await pool.putconn(connection)

    assert connection.closed


async def test_a_transaction_that_was_left_open_is_rolled_back(pool: ConnectionPool) -> None:
    connection = await pool.getconn()
    await connection.execute("BEGIN")

    await pool.putconn(connection)

    assert connection.pgconn.transaction_status == TransactionStatus.IDLE


async def test_a_connection_that_comes_back_to_a_closed_pool_is_closed(pool: ConnectionPool) -> None:
    connection = await pool.getconn()
    closing = asyncio.create_task(pool.close())
    await asyncio.sleep(0)
    assert pool.closed

    await pool.putconn(connection)
    await closing

    assert connection.closed


async def test_the_pool_keeps_as_many_connections_as_were_needed_at_once(pool: ConnectionPool) -> None:
    for needed in (CONNECTIONS, CONNECTIONS - 1):
        taken = [await pool.getconn() for _ in range(needed)]
        for connection in taken:
            await pool.putconn(connection)
        await pool._shrink_pool()  # as it does every ten minutes; it closes one that was not needed since

        assert pool.get_stats()["pool_size"] == needed


async def test_a_connection_is_not_given_back_twice(pool: ConnectionPool) -> None:
    connection = await pool.getconn()
    await pool.putconn(connection)

    with pytest.raises(ValueError, match="any pool"):
        await pool.putconn(connection)


async def test_waits_are_measured_where_none_is_ready_and_refusals_counted(pool: ConnectionPool) -> None:
    metrics = FakeMetrics()
    pool.measure(metrics, PRIMARY)
    taken = [await pool.getconn() for _ in range(CONNECTIONS)]
    assert len(metrics.observed(WAITS, PRIMARY)) == CONNECTIONS - 2  # so many are there from the start

    with pytest.raises(PoolTimeout):
        await pool.getconn(timeout=0.1)
    waiting = asyncio.create_task(pool.getconn())
    await asyncio.sleep(0)
    assert metrics.watched(IN_USE, PRIMARY) == metrics.watched(SIZE, PRIMARY) == CONNECTIONS
    await pool.putconn(taken[0])
    await waiting
    for connection in taken:
        await pool.putconn(connection)
    await pool.putconn(await pool.getconn())

    assert metrics.counted(REFUSALS, PRIMARY) == 1
    assert len(metrics.observed(WAITS, PRIMARY)) == CONNECTIONS
    assert max(metrics.observed(WAITS, PRIMARY)) >= 0.1
    assert metrics.watched(IN_USE, PRIMARY) == 0
    assert metrics.watched(MAX_SIZE, PRIMARY) == CONNECTIONS
