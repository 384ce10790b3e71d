"""Metrics of several processes: what one leaves, and what the next one finds."""

import os
import signal
import time
import warnings
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from gatehouse.common.application.metrics import Counter, Gauge, Histogram, Metric
from gatehouse.common.infrastructure.metrics.shared_metrics import CPU, DEATHS, OWN_METRICS, WORKERS, SharedMetrics

pytestmark = pytest.mark.promise("R11")

MEALS = Counter(name="meals_total", help="Meals.")
GUESTS = Gauge(name="guests", help="Guests.")
AGE = Gauge(name="age", help="Of the oldest.", combine=max)
WAITS = Histogram(name="wait_seconds", help="Waits.", bounds=(0.1, 1))


def memory_for(places: int) -> SharedMetrics:
    return SharedMetrics({metric: [()] for metric in (*OWN_METRICS, MEALS, GUESTS, AGE, WAITS)}, places)


def value(memory: SharedMetrics, metric: Metric) -> float:
    return memory.values()[memory.offsets[metric][()]]


def in_a_process(work: Callable[[], None]) -> None:
    """Which is then killed, so that it can say nothing more."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # of other threads here: the child touches nothing of theirs
        pid = os.fork()
    if not pid:
        try:
            work()
            os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def test_what_all_processes_count_is_added_up() -> None:
    memory = memory_for(3)

    for place in range(3):
        in_a_process(lambda place=place: memory.take(place).count(MEALS, by=place + 1))  # type: ignore[misc]

    assert value(memory, MEALS) == 6


@pytest.mark.slow
def test_what_a_process_counted_stays_when_it_is_killed_and_its_successor_goes_on_from_there() -> None:
    memory = memory_for(2)

    for _ in range(50):
        in_a_process(lambda: memory.take(1).count(MEALS))
        memory.leave(1)

    assert value(memory, MEALS) == 50
    assert value(memory, DEATHS) == 50


def test_a_process_that_has_ended_has_no_gauges() -> None:
    memory = memory_for(2)
    memory.take(0).watch(GUESTS, lambda: 3)

    def have_guests() -> None:
        own = memory.take(1)
        own.watch(GUESTS, lambda: 4)
        own.sample()

    in_a_process(have_guests)
    assert value(memory, GUESTS) == 4
    memory.leave(1)

    assert value(memory, GUESTS) == 0
    assert value(memory, WORKERS) == 1
    assert memory.pids == {0: os.getpid()}


def test_a_gauge_is_combined_as_it_says() -> None:
    memory = memory_for(2)
    for place in range(2):
        own = memory.take(place)
        own.watch(GUESTS, lambda place=place: 10 + place)  # type: ignore[misc]
        own.watch(AGE, lambda place=place: 10 + place)  # type: ignore[misc]
        own.sample()

    assert value(memory, GUESTS) == 21
    assert value(memory, AGE) == 11


def test_a_gauge_that_fails_is_given_up_and_the_others_go_on() -> None:
    memory = memory_for(1)
    own = memory.take(0)
    ages = iter([3])
    own.watch(AGE, lambda: next(ages))
    own.watch(GUESTS, lambda: 7)

    with capture_logs() as logs:
        for _ in range(3):
            own.sample()

    assert value(memory, AGE) == 3
    assert value(memory, GUESTS) == 7
    assert [line["event"] for line in logs] == ["gauge_given_up"]


def test_a_bucket_holds_what_is_at_most_its_bound() -> None:
    memory = memory_for(2)
    for place, amounts in enumerate([(0.1, 0.11), (1, 2)]):
        own = memory.take(place)
        for amount in amounts:
            own.observe(WAITS, amount)

    start = memory.offsets[WAITS][()]
    assert memory.values()[start : start + 4] == [1, 3, 4, 3.21]


def test_processor_time_is_counted_from_one_sample_to_the_next() -> None:
    memory = memory_for(1)
    own = memory.take(0)
    own.sample()
    own.sample()

    assert 0 < value(memory, CPU) <= time.process_time()
