"""How often each use case is called, how that ends, and how long it takes."""

from asyncio import CancelledError
from collections.abc import Iterable, Mapping, Sequence
from functools import wraps
from time import perf_counter
from typing import Final

from gatehouse.common.application.metrics import Counter, Histogram, Labels, Metric, Metrics
from gatehouse.common.application.use_case import Call, Surround, action_of
from gatehouse.common.domain.errors import (
    ConflictError,
    ForbiddenError,
    GatehouseError,
    InvalidError,
    NotFoundError,
    OutcomeUnknownError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
)

CALLS: Final = Counter(
    name="gatehouse_use_cases_total",
    help="Calls of use cases, by how they ended.",
    labels=("use_case", "outcome"),
    series=None,
)
DURATIONS: Final = Histogram(
    name="gatehouse_use_case_duration_seconds",
    help="How long calls of use cases took, with their repetitions after a conflict.",
    labels=("use_case",),
    series=None,
)
_SUCCEEDED: Final = "succeeded"
_OUTCOMES: Final[Mapping[type[BaseException], str]] = {
    InvalidError: "invalid",
    UnauthenticatedError: "unauthenticated",
    ForbiddenError: "forbidden",
    NotFoundError: "not_found",
    ConflictError: "conflict",
    ThrottledError: "throttled",
    UnavailableError: "unavailable",
    OutcomeUnknownError: "outcome_unknown",
    GatehouseError: "refused",
    CancelledError: "cancelled",
    BaseException: "failed",
}
"""By category of the error; what nobody foresaw is a failure."""


def series_of_use_cases(use_cases: Iterable[type]) -> dict[Metric, Sequence[Labels]]:
    names = [action_of(use_case) for use_case in use_cases]
    outcomes = (_SUCCEEDED, *_OUTCOMES.values())
    return {CALLS: [(name, outcome) for name in names for outcome in outcomes], DURATIONS: [(name,) for name in names]}


def measure(metrics: Metrics) -> Surround:
    def measure_call(name: str, call: Call) -> Call:
        @wraps(call)
        async def call_and_measure(*args: object, **kwargs: object) -> object:
            began, outcome = perf_counter(), _SUCCEEDED
            try:
                return await call(*args, **kwargs)
            except BaseException as error:
                outcome = _outcome_of(error)
                raise
            finally:
                metrics.observe(DURATIONS, perf_counter() - began, name)
                metrics.count(CALLS, name, outcome)

        return call_and_measure

    return measure_call


def _outcome_of(error: BaseException) -> str:
    return next(_OUTCOMES[kind] for kind in type(error).__mro__ if kind in _OUTCOMES)
