"""Use cases are measured at their seam, whoever calls them."""

import asyncio

import pytest

from gatehouse.common.application.measured_use_cases import CALLS, DURATIONS, measure, series_of_use_cases
from gatehouse.common.application.use_case import command, query, surrounded
from gatehouse.common.domain.errors import (
    ConflictError,
    ForbiddenError,
    GatehouseError,
    InvalidError,
    NotFoundError,
    OutcomeUnknownError,
    PasswordChangeRequiredError,
    ThrottledError,
    TransactionConflictError,
    UnauthenticatedError,
    UnavailableError,
)
from gatehouse.common.infrastructure.metrics.shared_metrics import SharedMetrics
from gatehouse.testing.fakes import FakeMetrics


class TooLateError(ConflictError):
    """One of a module's own."""

    slug = "too-late"
    title = "Too late."


class OddError(GatehouseError):
    slug = "odd"
    title = "Odd."


@command
class EatSoup:
    """Soup is eaten."""

    errors: list[BaseException]

    async def __call__(self, spoon: str) -> str:
        if self.errors:
            raise self.errors.pop()
        return f"with a {spoon}"


@query
class CountSpoons:
    """Spoons are counted."""

    async def __call__(self) -> int:
        return 4


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (InvalidError("spoon", "Is a fork."), "invalid"),
        (UnauthenticatedError(), "unauthenticated"),
        (ForbiddenError(), "forbidden"),
        (PasswordChangeRequiredError(), "forbidden"),
        (NotFoundError(), "not_found"),
        (TooLateError(), "conflict"),
        (ThrottledError(), "throttled"),
        (UnavailableError(), "unavailable"),
        (OutcomeUnknownError(), "outcome_unknown"),
        (OddError(), "refused"),
        (asyncio.CancelledError(), "cancelled"),
        (ZeroDivisionError(), "failed"),
        (KeyboardInterrupt(), "failed"),
    ],
)
async def test_a_call_counts_as_what_it_ended_with(error: BaseException, outcome: str) -> None:
    metrics = FakeMetrics()

    with surrounded([EatSoup], measure(metrics)), pytest.raises(type(error)):
        await EatSoup([error])("spoon")

    assert metrics.counted(CALLS, "eat_soup", outcome) == 1
    assert len(metrics.observed(DURATIONS, "eat_soup")) == 1


async def test_a_call_that_succeeds_is_counted_once_however_often_it_was_repeated() -> None:
    metrics = FakeMetrics()

    with surrounded([EatSoup, CountSpoons], measure(metrics)):
        assert await EatSoup([TransactionConflictError(), TransactionConflictError()])(spoon="ladle") == "with a ladle"
        assert await CountSpoons()() == 4

    assert metrics.counted(CALLS, "eat_soup", "succeeded") == 1
    assert metrics.counted(CALLS, "eat_soup", "unavailable") == 0
    assert metrics.counted(CALLS, "count_spoons", "succeeded") == 1


async def test_afterwards_and_without_metrics_nothing_is_on_the_way_of_a_call() -> None:
    call = vars(EatSoup)["__call__"]

    with surrounded([EatSoup], measure(FakeMetrics())):
        assert vars(EatSoup)["__call__"] is not call

    assert vars(EatSoup)["__call__"] is call


async def test_every_outcome_is_a_series_of_every_use_case() -> None:
    memory = SharedMetrics(series_of_use_cases([EatSoup, CountSpoons]))

    assert {use_case for use_case, _ in memory.offsets[CALLS]} == {"eat_soup", "count_spoons"}
    assert len(memory.offsets[CALLS]) == 2 * 12
    assert memory.offsets[DURATIONS].keys() == {("eat_soup",), ("count_spoons",)}
