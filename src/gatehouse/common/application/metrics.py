"""What is measured, and the port behind which it is recorded.

A metric knows all of its series from the start. So nobody outside can make another one, and each has its place in
memory before the first request.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

type Labels = tuple[str, ...]
"""The values of a series' labels, in the order of the metric's."""

SECONDS: Final = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds for what people wait for."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Metric:
    """Names follow Prometheus: `gatehouse_`, then what it is, then the unit; counters end in `_total`."""

    name: str
    help: str
    labels: Labels = ()
    series: tuple[Labels, ...] | None = ((),)
    """None: they follow from the modules (`series_of` in setup/metrics.py)."""


class Counter(Metric):
    """It never falls, also when a worker dies."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Gauge(Metric):
    combine: Callable[[Iterable[float]], float] = sum
    """That of a server, from those of its workers."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Histogram(Metric):
    bounds: tuple[float, ...] = SECONDS


class Metrics(Protocol):
    """To be called from the event loop's thread alone. Raises KeyError for a series that the metric does not have."""

    def count(self, counter: Counter, *labels: str, by: float = 1) -> None: ...

    def observe(self, histogram: Histogram, amount: float, *labels: str) -> None: ...

    def watch(self, gauge: Gauge, read: Callable[[], float], *labels: str) -> None:
        """Reads it about once a second, from now on."""


class NoMetrics:
    """Where nobody asks for them."""

    def count(self, counter: Counter, *labels: str, by: float = 1) -> None:
        pass

    def observe(self, histogram: Histogram, amount: float, *labels: str) -> None:
        pass

    def watch(self, gauge: Gauge, read: Callable[[], float], *labels: str) -> None:
        pass


NO_METRICS: Final = NoMetrics()
