"""What the port of the metrics promises, whatever stands behind it."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from gatehouse.common.application.metrics import NO_METRICS, Counter, Gauge, Histogram, Labels, Metric, Metrics
from gatehouse.common.infrastructure.metrics.shared_metrics import OWN_METRICS, SharedMetrics
from gatehouse.testing.fakes import FakeMetrics

MEALS = Counter(name="meals_total", help="Meals.", labels=("dish",), series=(("soup",), ("pie",)))
GUESTS = Gauge(name="guests", help="Guests.")
WAITS = Histogram(name="wait_seconds", help="Waits.", bounds=(0.1, 1))
MISSPELT = "suop"


@dataclass
class Recorder:
    metrics: Metrics
    counted: Callable[[Counter, str], float]
    watched: Callable[[Gauge], float]
    observed: Callable[[Histogram], tuple[int, float]]
    """How many, and their sum."""


def fake_recorder() -> Recorder:
    fake = FakeMetrics()
    return Recorder(
        fake, fake.counted, fake.watched, lambda metric: (len(fake.observed(metric)), sum(fake.observed(metric)))
    )


def shared_recorder() -> Recorder:
    series: dict[Metric, tuple[Labels, ...]] = {
        metric: metric.series or () for metric in (*OWN_METRICS, MEALS, GUESTS, WAITS)
    }
    memory = SharedMetrics(series)
    worker = memory.take(0)

    def value(metric: Metric, *labels: str) -> float:
        worker.sample()
        return memory.values()[memory.offsets[metric][labels]]

    def observed(metric: Histogram) -> tuple[int, float]:
        end = memory.offsets[metric][()] + len(metric.bounds)
        return int(memory.values()[end]), memory.values()[end + 1]

    return Recorder(worker, value, value, observed)


@pytest.fixture(params=[fake_recorder, shared_recorder], ids=["fake", "shared memory"])
def recorder(request: pytest.FixtureRequest) -> Recorder:
    made = request.param()
    assert isinstance(made, Recorder)
    return made


def test_what_was_never_counted_is_zero(recorder: Recorder) -> None:
    assert recorder.counted(MEALS, "soup") == 0
    assert recorder.observed(WAITS) == (0, 0)


def test_each_series_is_counted_by_itself(recorder: Recorder) -> None:
    recorder.metrics.count(MEALS, "soup")
    recorder.metrics.count(MEALS, "soup", by=2)
    recorder.metrics.count(MEALS, "pie")

    assert recorder.counted(MEALS, "soup") == 3
    assert recorder.counted(MEALS, "pie") == 1


def test_amounts_are_counted_and_added_up(recorder: Recorder) -> None:
    for amount in (0.5, 0.25, 100):
        recorder.metrics.observe(WAITS, amount)

    assert recorder.observed(WAITS) == (3, 100.75)


def test_what_is_watched_is_what_it_is_by_now(recorder: Recorder) -> None:
    guests: list[str] = []
    recorder.metrics.watch(GUESTS, lambda: len(guests))
    guests.append("a guest")

    assert recorder.watched(GUESTS) == 1


@pytest.mark.parametrize(
    "record",
    [
        lambda metrics: metrics.count(MEALS, MISSPELT),
        lambda metrics: metrics.count(MEALS),
        lambda metrics: metrics.observe(WAITS, 1, MISSPELT),
        lambda metrics: metrics.watch(GUESTS, int, MISSPELT),
    ],
)
def test_a_series_that_the_metric_does_not_have_is_an_error(
    recorder: Recorder, record: Callable[[Metrics], None]
) -> None:
    with pytest.raises(KeyError):
        record(recorder.metrics)


def test_where_nobody_asks_for_metrics_all_is_taken_and_nothing_kept() -> None:
    NO_METRICS.count(MEALS, "soup", by=2)
    NO_METRICS.observe(WAITS, 1)
    NO_METRICS.watch(GUESTS, lambda: pytest.fail("nobody asked"))
