import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress

import psycopg
import pytest
from psycopg.rows import scalar_row
from sqlalchemy import event, text

from gatehouse.accounts.domain.errors import UsernameTakenError
from gatehouse.accounts.domain.session import Session
from gatehouse.accounts.domain.username import Username
from gatehouse.accounts.infrastructure.sessions import SqlSessions
from gatehouse.accounts.infrastructure.users import SqlUsers
from gatehouse.common.application.write_position import WritePosition
from gatehouse.common.domain.request_context import RequestContext
from gatehouse.common.infrastructure.database import Database, open_database
from gatehouse.common.infrastructure.transaction import SqlTransaction
from gatehouse.testing.fakes import LIFETIME, make_user
from tests.integration.conftest import DatabaseMonitor, until


async def count_users(database: Database) -> int | None:
    """Needs the pool's only connection, in autocommit."""
    return await database.fetch_one("SELECT count(*) FROM users", {}, scalar_row)


async def test_leaving_commits(small_pool: Database, monitor: DatabaseMonitor) -> None:
    transaction = SqlTransaction(small_pool, WritePosition)

    async with transaction:
        await SqlUsers(transaction).add(make_user())
        assert not await monitor.user("alice")

    assert await monitor.user("alice")


async def test_an_exception_rolls_back_and_passes_through(small_pool: Database) -> None:
    transaction = SqlTransaction(small_pool, WritePosition)

    async def write_and_fail() -> None:
        async with transaction:
            await SqlUsers(transaction).add(make_user())
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await write_and_fail()

    assert await count_users(small_pool) == 0


async def test_a_transaction_may_be_entered_again_after_either_end(small_pool: Database) -> None:
    transaction = SqlTransaction(small_pool, WritePosition)
    users = SqlUsers(transaction)

    async with transaction:
        await users.add(make_user())
    with pytest.raises(UsernameTakenError):
        async with transaction:
            await users.add(make_user())
    async with transaction:
        await users.add(make_user("bobby"))

    assert await count_users(small_pool) == 2


async def test_no_connection_is_held_between_two_uses(small_pool: Database) -> None:
    first, second = SqlTransaction(small_pool, WritePosition), SqlTransaction(small_pool, WritePosition)

    async with first:
        await SqlUsers(first).add(make_user())
    async with second:
        await SqlUsers(second).add(make_user("bobby"))
    async with first:
        assert await SqlUsers(first).find(Username("bobby")) is not None

    assert await count_users(small_pool) == 2


async def test_a_connection_does_not_grow_with_its_uses(small_pool: Database) -> None:
    for _ in range(3):
        async with (transaction := SqlTransaction(small_pool, WritePosition)):
            await transaction.connection.execute(text("SELECT 1"))

    [connection] = small_pool._pool._pool
    assert len(connection._notice_handlers) == 1


async def test_a_query_after_a_command_is_not_in_a_transaction(small_pool: Database) -> None:
    async with (transaction := SqlTransaction(small_pool, WritePosition)):
        await SqlUsers(transaction).add(make_user())

    await small_pool.execute("VACUUM users", {})  # which refuses to run inside a transaction


async def test_the_connection_comes_back_after_an_error_in_the_block(small_pool: Database) -> None:
    for _ in range(3):
        with pytest.raises(LookupError):
            async with SqlTransaction(small_pool, WritePosition):
                raise LookupError

    assert await count_users(small_pool) == 0


async def test_the_connection_comes_back_after_a_failed_statement(small_pool: Database) -> None:
    transaction = SqlTransaction(small_pool, WritePosition)
    async with transaction:
        await SqlUsers(transaction).add(make_user())

    for _ in range(3):
        with pytest.raises(UsernameTakenError):
            async with transaction:
                await SqlUsers(transaction).add(make_user())

    assert await count_users(small_pool) == 1


async def test_the_connection_comes_back_after_a_failed_commit(small_pool: Database) -> None:
    await small_pool.execute("CREATE TEMPORARY TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)", {})

    with pytest.raises(Exception, match="late_id_key"):
        async with (transaction := SqlTransaction(small_pool, WritePosition)):
            await transaction.connection.execute(text("INSERT INTO late VALUES (1), (1)"))

    assert await small_pool.fetch_one("SELECT count(*) FROM late", {}, scalar_row) == 0


async def test_the_connection_comes_back_after_cancellation_during_a_statement(
    small_pool: Database, monitor: DatabaseMonitor
) -> None:
    async def write_and_sleep() -> None:
        async with (transaction := SqlTransaction(small_pool, WritePosition)):
            await SqlUsers(transaction).add(make_user())
            await transaction.connection.execute(text("SELECT pg_sleep(60)"))

    task = asyncio.create_task(write_and_sleep())
    await monitor.until_asleep()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await count_users(small_pool) == 0


async def test_the_connection_comes_back_after_cancellation_between_statements(small_pool: Database) -> None:
    has_written = asyncio.Event()

    async def write_and_wait() -> None:
        async with (transaction := SqlTransaction(small_pool, WritePosition)):
            await SqlUsers(transaction).add(make_user())
            has_written.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write_and_wait())
    await has_written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await count_users(small_pool) == 0


async def add_alice(database: Database) -> None:
    async with (transaction := SqlTransaction(database, WritePosition)):
        await SqlUsers(transaction).add(make_user())


@pytest.mark.parametrize("call", [add_alice, count_users])
async def test_the_connection_comes_back_after_cancellation_while_it_is_given_back(
    small_pool: Database, monitor: DatabaseMonitor, call: Callable[[Database], Coroutine[object, object, object]]
) -> None:
    pool = small_pool._pool

    async def is_waited_for() -> bool:
        return bool(pool._waiting)

    async def is_given_back() -> bool:
        return bool(pool._lock._waiters)

    async with monitor.transaction("LOCK TABLE users"):
        task = asyncio.create_task(call(small_pool))
        await monitor.until_waiting_for_a_lock()
        following = asyncio.create_task(count_users(small_pool))  # to whom the pool hands the connection on
        await until(is_waited_for)
        await pool._lock.acquire()  # which parallel calls hold for a moment
    try:
        await until(is_given_back)
        task.cancel()
        await take(2)
    finally:
        pool._lock.release()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await following == (call is add_alice)


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2])
async def test_the_connection_comes_back_after_cancellation_at_any_step(small_pool: Database, times: int) -> None:
    async def write() -> None:
        async with (transaction := SqlTransaction(small_pool, WritePosition)):
            await SqlUsers(transaction).add(make_user())

    backend = await backend_of(small_pool)
    steps, commits = 0, 0
    while commits < 3:
        task = asyncio.create_task(write())
        await take(steps)
        for _ in range(times):
            task.cancel()
            await take(2)
        with suppress(asyncio.CancelledError):
            await task
            commits += 1
        # All or nothing was committed, and the next caller gets the connection.
        assert await count_users(small_pool) in {0, 1}
        # psycopg closes it where the cancellation of the statement is itself cancelled.
        assert times > 1 or await backend_of(small_pool) == backend
        await small_pool.execute("DELETE FROM users", {})
        steps += 2


async def backend_of(database: Database) -> int | None:
    return await database.fetch_one("SELECT pg_backend_pid()", {}, scalar_row)


async def take(steps: int) -> None:
    for _ in range(steps):
        await asyncio.sleep(0)


async def test_the_connection_comes_back_after_cancellation_of_a_query(
    small_pool: Database, monitor: DatabaseMonitor
) -> None:
    task = asyncio.create_task(small_pool.execute("SELECT pg_sleep(60)", {}))
    await monitor.until_asleep()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await count_users(small_pool) == 0


async def test_whoever_is_cancelled_while_waiting_for_a_connection_takes_none(small_pool: Database) -> None:
    transaction = SqlTransaction(small_pool, WritePosition)

    async def enter() -> None:
        async with SqlTransaction(small_pool, WritePosition):
            pass

    async with transaction:
        task = asyncio.create_task(enter())
        await take(20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert await count_users(small_pool) == 0


async def test_gateways_refuse_to_work_outside_a_transaction(small_pool: Database) -> None:
    transaction = SqlTransaction(small_pool, WritePosition)
    alice = make_user()
    session = Session.open(alice.id, "a secret", LIFETIME, RequestContext(), alice.created_at)

    with pytest.raises(RuntimeError, match="inside"):
        await SqlUsers(transaction).add(alice)
    with pytest.raises(RuntimeError, match="inside"):
        await SqlUsers(transaction).find(alice.username)
    with pytest.raises(RuntimeError, match="inside"):
        await SqlSessions(transaction).add(session, keep=1)

    async with transaction:
        await SqlUsers(transaction).add(alice)
    with pytest.raises(RuntimeError, match="inside"):
        await SqlUsers(transaction).save(alice)


async def test_transactions_do_not_nest(small_pool: Database) -> None:
    transaction = SqlTransaction(small_pool, WritePosition)

    async def nest() -> None:
        async with transaction:
            await SqlUsers(transaction).add(make_user())
            await transaction.__aenter__()

    with pytest.raises(RuntimeError, match="nest"):
        await nest()

    assert await count_users(small_pool) == 0


async def test_what_is_to_follow_a_commit_comes_once_and_when_others_see_what_was_committed(
    small_pool: Database, owner_of_own: psycopg.Connection
) -> None:
    users_seen: list[int] = []
    transaction = SqlTransaction(small_pool, WritePosition)

    async with transaction:
        await SqlUsers(transaction).add(make_user())
        transaction.after_commit(lambda: users_seen.append(len(owner_of_own.execute("SELECT FROM users").fetchall())))
        assert users_seen == []
    async with transaction:
        pass

    assert users_seen == [1]


async def test_nothing_follows_a_transaction_that_was_rolled_back_nor_the_next_one(small_pool: Database) -> None:
    called: list[str] = []
    transaction = SqlTransaction(small_pool, WritePosition)

    async def fail() -> None:
        async with transaction:
            transaction.after_commit(lambda: called.append("the first"))
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with transaction:
        transaction.after_commit(lambda: called.append("the second"))

    assert called == ["the second"]


@pytest.fixture
def owner_of_own(own_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(own_url, autocommit=True) as connection:
        yield connection


async def test_a_write_position_that_cannot_be_read_does_not_undo_the_commit(
    own_url: str, monitor: DatabaseMonitor
) -> None:
    def fail(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> object:
        return ("SELECT 1/0" if "pg_current_wal" in statement else statement), parameters

    async with open_database(own_url, 1, has_replica=True) as database:
        event.listen(database.engine.sync_engine, "before_cursor_execute", fail, retval=True)
        async with (transaction := SqlTransaction(database, WritePosition)):
            await SqlUsers(transaction).add(make_user())

        assert await count_users(database) == 1
    assert await monitor.user("alice")
