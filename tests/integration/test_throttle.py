"""The rate limit on real connections, with a clock that moves."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from gatehouse.accounts.application.ports import Attempt, AttemptKind
from gatehouse.accounts.infrastructure.throttle import REFUSALS, SqlThrottle, ThrottleTimes
from gatehouse.common.domain.errors import ThrottledError
from gatehouse.common.infrastructure.database import Database, open_database
from gatehouse.testing.fakes import FakeClock, FakeMetrics
from tests.integration.harness import TickingClock

GUESS = Attempt("password:alice:192.0.2.1", 5)
ADDRESS = Attempt("password:192.0.2.1", 50)
TIMES = ThrottleTimes(memory=timedelta(hours=1), longest=timedelta(minutes=15))
INSTANT = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
async def pool(own_url: str) -> AsyncIterator[Database]:
    async with open_database(own_url, 8) as pool:
        yield pool


async def wait_of(throttle: SqlThrottle, *attempts: Attempt) -> int:
    """How long the next one has to wait, in seconds; 0 where it passes, and is counted."""
    try:
        await throttle.count(*attempts)
    except ThrottledError as error:
        return error.retry_after
    return 0


async def use_up(throttle: SqlThrottle, attempt: Attempt = GUESS) -> None:
    for _ in range(attempt.free):
        assert await wait_of(throttle, attempt) == 0


@pytest.mark.promise("L3")
@pytest.mark.parametrize("clock", [FakeClock(), TickingClock()], ids=["at-once", "one-after-the-other"])
async def test_of_fifty_parallel_attempts_exactly_the_free_ones_pass(pool: Database, clock: FakeClock) -> None:
    throttle = SqlThrottle(pool, TIMES, clock)

    waits = await asyncio.gather(*(wait_of(throttle, GUESS, ADDRESS) for _ in range(50)))

    assert waits.count(0) == GUESS.free
    assert max(waits) <= 2


@pytest.mark.promise("L3")
async def test_parallel_attempts_never_wait_while_there_are_free_ones(pool: Database) -> None:
    """Each reads the clock before it waits for the row, so they are not counted in the order of their times."""
    throttle = SqlThrottle(pool, TIMES, TickingClock())

    assert await asyncio.gather(*(wait_of(throttle, Attempt("key", 100)) for _ in range(50))) == [0] * 50


@pytest.mark.promise("L3")
async def test_processes_share_the_count(pool: Database, own_url: str) -> None:
    clock = FakeClock()
    async with open_database(own_url, 1) as other_pool:
        throttles = [SqlThrottle(database, TIMES, clock) for database in (pool, other_pool)]
        outcomes = [await wait_of(throttles[turn % 2], GUESS) == 0 for turn in range(8)]

    assert outcomes == [True] * 5 + [False] * 3


async def test_keys_in_common_never_deadlock_in_whatever_order_they_are_given(pool: Database) -> None:
    throttle, keys = SqlThrottle(pool, TIMES, FakeClock()), [Attempt("one", 100), Attempt("other", 100)]

    waits = await asyncio.gather(*(wait_of(throttle, *keys[:: 1 if turn % 2 else -1]) for turn in range(40)))

    assert waits == [0] * 40


async def test_the_wait_doubles_with_each_further_attempt_up_to_the_longest(pool: Database) -> None:
    throttle = SqlThrottle(pool, TIMES, clock := FakeClock())
    await use_up(throttle)

    waits = []
    for _ in range(14):
        waits.append(await wait_of(throttle, GUESS))
        clock.advance(waits[-1] * SECOND)
        assert await wait_of(throttle, GUESS) == 0

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]


async def test_a_wait_is_over_when_it_is_over_and_not_before(pool: Database) -> None:
    throttle = SqlThrottle(pool, TIMES, clock := FakeClock())
    await use_up(throttle)

    clock.advance(SECOND - INSTANT)
    assert await wait_of(throttle, GUESS) == 1
    clock.advance(INSTANT)
    assert await wait_of(throttle, GUESS) == 0


async def test_attempts_during_a_wait_do_not_prolong_it(pool: Database) -> None:
    throttle = SqlThrottle(pool, TIMES, clock := FakeClock())
    await use_up(throttle)

    for _ in range(20):
        assert await wait_of(throttle, GUESS) == 1
    clock.advance(SECOND)

    assert await wait_of(throttle, GUESS) == 0


async def test_the_wait_in_the_error_is_that_of_the_keys_that_wait(pool: Database) -> None:
    throttle = SqlThrottle(pool, TIMES, clock := FakeClock())
    finished, waiting = Attempt("a key whose wait is over", 1), Attempt("some other key", 1)
    await throttle.count(finished)
    clock.advance(SECOND)
    await throttle.count(finished)
    clock.advance(2 * SECOND)
    await throttle.count(waiting)

    assert await wait_of(throttle, finished, waiting) == 1


async def test_counts_are_forgotten_after_the_last_attempt(pool: Database) -> None:
    throttle = SqlThrottle(pool, TIMES, clock := FakeClock())
    await use_up(throttle)
    clock.advance(TIMES.memory)

    await use_up(throttle)
    assert await wait_of(throttle, GUESS) == 1


async def test_counts_are_not_forgotten_sooner(pool: Database) -> None:
    throttle = SqlThrottle(pool, TIMES, clock := FakeClock())
    await use_up(throttle)
    clock.advance(TIMES.memory - INSTANT)

    assert [await wait_of(throttle, GUESS) for _ in range(2)] == [0, 2]


async def test_a_reset_takes_the_wait_away(pool: Database) -> None:
    throttle = SqlThrottle(pool, TIMES, FakeClock())
    await use_up(throttle)

    await throttle.reset(GUESS)

    await use_up(throttle)


async def test_more_refunds_than_attempts_give_no_credit(pool: Database) -> None:
    throttle = SqlThrottle(pool, TIMES, FakeClock())
    await throttle.count(GUESS)

    for _ in range(5):
        await throttle.refund(GUESS)

    await use_up(throttle)
    assert await wait_of(throttle, GUESS) == 1


async def test_parallel_refunds_all_count(pool: Database) -> None:
    throttle = SqlThrottle(pool, TIMES, FakeClock())
    await use_up(throttle)

    await asyncio.gather(*(throttle.refund(GUESS) for _ in range(GUESS.free)))

    await use_up(throttle)


@pytest.mark.parametrize("first", [AttemptKind.ACCOUNT, AttemptKind.ADDRESS])
async def test_a_refusal_counts_under_the_limit_that_was_met(pool: Database, first: AttemptKind) -> None:
    metrics = FakeMetrics()
    throttle = SqlThrottle(pool, TIMES, FakeClock(), metrics)
    attempts = [Attempt(f"{kind.value} of {first.value}", 1 if kind is first else 100, kind) for kind in AttemptKind]

    assert await wait_of(throttle, *attempts) == 0
    assert {kind: metrics.counted(REFUSALS, kind) for kind in AttemptKind} == dict.fromkeys(AttemptKind, 0)
    assert await wait_of(throttle, *attempts) > 0

    assert {kind: metrics.counted(REFUSALS, kind) for kind in AttemptKind if kind is not first} == dict.fromkeys(
        set(AttemptKind) - {first}, 0
    )
    assert metrics.counted(REFUSALS, first) == 1
