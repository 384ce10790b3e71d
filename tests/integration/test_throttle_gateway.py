"""The contract of the fake throttle and the real one. The clock stands still."""

from datetime import timedelta

import pytest
from dishka import AsyncContainer

from gatehouse.accounts.application.ports import Attempt, Throttle
from gatehouse.accounts.infrastructure.throttle import SqlThrottle, ThrottleTimes
from gatehouse.common.domain.errors import ThrottledError
from gatehouse.common.infrastructure.database import Database
from gatehouse.testing.accounts.fakes import FakeThrottle
from gatehouse.testing.fakes import FakeClock

ACCOUNT, ADDRESS = Attempt("account", 2), Attempt("address", 3)


@pytest.fixture(params=["fake", "sql"])
async def throttle(request: pytest.FixtureRequest, container: AsyncContainer, database: Database) -> Throttle:
    assert await container.get(Database) is database
    return (
        FakeThrottle()
        if request.param == "fake"
        else SqlThrottle(database, ThrottleTimes(timedelta(hours=1), timedelta(minutes=15)), FakeClock())
    )


async def passes(throttle: Throttle, *attempts: Attempt) -> bool:
    try:
        await throttle.count(*attempts)
    except ThrottledError:
        return False
    return True


@pytest.mark.parametrize("free", [1, 2, 5])
async def test_as_many_attempts_pass_as_are_free(throttle: Throttle, free: int) -> None:
    attempt = Attempt("key", free)

    assert [await passes(throttle, attempt) for _ in range(free + 2)] == [True] * free + [False] * 2


async def test_each_key_has_a_count_of_its_own(throttle: Throttle) -> None:
    assert [await passes(throttle, Attempt(key, 1)) for key in ("one", "other", "one")] == [True, True, False]


@pytest.mark.parametrize("attempts", [(ACCOUNT, ADDRESS), (ADDRESS, ACCOUNT)])
async def test_an_attempt_that_has_to_wait_for_one_key_counts_for_none(
    throttle: Throttle, attempts: tuple[Attempt, Attempt]
) -> None:
    assert [await passes(throttle, *attempts) for _ in range(4)] == [True, True, False, False]

    assert [await passes(throttle, ADDRESS) for _ in range(2)] == [True, False]


@pytest.mark.parametrize("names", [("first", "second"), ("second", "first")])
async def test_one_that_has_to_wait_for_either_key_counts_for_none(throttle: Throttle, names: tuple[str, str]) -> None:
    waiting, free = Attempt(names[0], 1), Attempt(names[1], 2)
    await throttle.count(waiting)

    assert [await passes(throttle, waiting, free) for _ in range(3)] == [False] * 3

    assert [await passes(throttle, free) for _ in range(3)] == [True, True, False]


async def test_what_is_refunded_may_be_tried_again(throttle: Throttle) -> None:
    for _ in range(2):
        await throttle.count(ACCOUNT, ADDRESS)

    await throttle.refund(ACCOUNT, ADDRESS)

    assert [await passes(throttle, ACCOUNT, ADDRESS) for _ in range(2)] == [True, False]


async def test_a_reset_forgets_that_key_alone(throttle: Throttle) -> None:
    await throttle.count(Attempt("one", 1), Attempt("other", 1))

    await throttle.reset(Attempt("one", 1))
    await throttle.reset(Attempt("unknown", 1))

    assert [await passes(throttle, Attempt(key, 1)) for key in ("one", "other")] == [True, False]
