import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from dishka import AsyncContainer

from gatehouse.accounts.application.commands.purge_sessions import PurgeSessions
from gatehouse.accounts.application.ports import Attempt
from gatehouse.accounts.infrastructure import expired_rows
from gatehouse.accounts.infrastructure.expired_rows import SqlExpiredRows
from gatehouse.accounts.infrastructure.throttle import SqlThrottle, ThrottleTimes
from gatehouse.common.domain.errors import ThrottledError
from gatehouse.common.infrastructure.database import Database, open_database
from gatehouse.testing.fakes import LIFETIME, FakeClock
from tests.integration.conftest import DatabaseMonitor
from tests.integration.harness import Harness

INSTANT = timedelta(microseconds=1)


@pytest.fixture
async def pool(own_url: str) -> AsyncIterator[Database]:
    async with open_database(own_url, 4) as pool:
        yield pool


async def purge(pool: Database, clock: FakeClock) -> int:
    return await PurgeSessions(SqlExpiredRows(pool), clock)()


@pytest.mark.promise("S16")
async def test_expired_sessions_go_and_live_ones_stay(
    harness: Harness, monitor: DatabaseMonitor, pool: Database
) -> None:
    alice = await harness.add_user("alice")
    for _ in range(3):
        await harness.add_session(alice)
    harness.clock.advance(timedelta(minutes=1))
    live = await harness.add_session(alice)

    assert await purge(pool, FakeClock(live.idle_expires_at - INSTANT)) == 3
    assert await monitor.sessions_of(alice.id) == 1
    assert await purge(pool, FakeClock(live.idle_expires_at)) == 1
    assert await monitor.sessions_of(alice.id) == 0


@pytest.mark.promise("S16")
async def test_whatever_has_expired_goes_batch_by_batch(
    harness: Harness, monitor: DatabaseMonitor, pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expired_rows, "_BATCH", 2)
    alice = await harness.add_user("alice")
    for _ in range(5):
        session = await harness.add_session(alice)
    rows = SqlExpiredRows(pool)

    assert [await rows.purge_batch(session.expires_at) for _ in range(4)] == [2, 2, 1, 0]
    assert await monitor.sessions_of(alice.id) == 0


@pytest.mark.promise("S16")
async def test_a_batch_is_no_larger_whatever_the_plan(
    harness: Harness, own_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A subquery with LIMIT that is run again for each row of the table deletes them all."""
    monkeypatch.setattr(expired_rows, "_BATCH", 2)
    alice = await harness.add_user("alice")
    for _ in range(5):
        session = await harness.add_session(alice)

    async with open_database(own_url, 1) as pool:
        for way in ("hashjoin", "mergejoin", "hashagg", "sort", "material"):
            await pool.execute(f"SET enable_{way} = off", {})

        assert await SqlExpiredRows(pool).purge_batch(session.expires_at) == 2


@pytest.mark.parametrize("memory", [timedelta(seconds=0.5), timedelta(seconds=1.5)])
async def test_a_count_goes_when_it_is_forgotten_and_its_wait_of_a_second_is_over(
    pool: Database, memory: timedelta
) -> None:
    clock = FakeClock()
    await SqlThrottle(pool, ThrottleTimes(memory, longest=timedelta(minutes=15)), clock).count(Attempt("waits", 1))
    clock.advance(max(memory, timedelta(seconds=1)) - INSTANT)

    assert await purge(pool, clock) == 0
    clock.advance(INSTANT)
    assert await purge(pool, clock) == 1


@pytest.mark.promise("L3")
async def test_a_guesser_who_has_to_wait_is_not_freed_by_a_purge(pool: Database) -> None:
    clock, times = FakeClock(), ThrottleTimes(memory=timedelta(seconds=1.5), longest=timedelta(minutes=15))
    throttle, guess = SqlThrottle(pool, times, clock), Attempt("guesses", 1)
    await throttle.count(guess)
    clock.advance(timedelta(seconds=1))
    await throttle.count(guess)  # forgotten after 1.5 seconds, but the next one has to wait for two
    clock.advance(timedelta(seconds=1.5))

    assert await purge(pool, clock) == 0
    with pytest.raises(ThrottledError):
        await throttle.count(guess)


async def test_a_session_that_someone_is_using_is_passed_over_for_now(
    harness: Harness, monitor: DatabaseMonitor, pool: Database
) -> None:
    alice = await harness.add_user("alice")
    sessions = [await harness.add_session(alice) for _ in range(2)]
    late = FakeClock(sessions[1].expires_at)

    async with monitor.transaction("SELECT 1 FROM sessions WHERE id = %s FOR UPDATE", sessions[0].id):
        assert await purge(pool, late) == 1

    assert await purge(pool, late) == 1


@pytest.mark.promise("S16")
async def test_one_process_purges_at_a_time(harness: Harness, monitor: DatabaseMonitor, pool: Database) -> None:
    alice = await harness.add_user("alice")
    late = FakeClock((await harness.add_session(alice)).expires_at)

    async with monitor.transaction("SELECT pg_advisory_xact_lock(hashtext('gatehouse purge'))"):
        assert await purge(pool, late) == 0
        assert await monitor.sessions_of(alice.id) == 1

    assert await purge(pool, late) == 1


@pytest.mark.promise("S16")
async def test_a_purge_that_has_to_wait_keeps_the_others_out(
    harness: Harness, monitor: DatabaseMonitor, pool: Database
) -> None:
    late = FakeClock((await harness.add_session(await harness.add_user("alice"))).expires_at)

    async with monitor.transaction("LOCK TABLE attempts IN SHARE MODE"):
        first = asyncio.create_task(purge(pool, late))
        await monitor.until_waiting_for_a_lock()
        assert await purge(pool, late) == 0

    assert await first == 1


async def test_purges_at_once_delete_everything_once(harness: Harness, pool: Database) -> None:
    alice = await harness.add_user("alice")
    for _ in range(9):
        session = await harness.add_session(alice)
    late = FakeClock(session.idle_expires_at + LIFETIME.idle)

    assert sum(await asyncio.gather(*(purge(pool, late) for _ in range(4)))) == 9


async def test_the_server_s_role_may_purge(container: AsyncContainer, database: Database) -> None:
    async with container() as scope:
        assert isinstance(database, Database)
        assert await (await scope.get(PurgeSessions))() == 0
