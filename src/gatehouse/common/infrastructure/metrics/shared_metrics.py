"""Metrics in memory that a server's processes share (ADR 31).

Each worker has a place in it, into which it alone writes. Its successor takes the place over, with what is counted
there: so counters never fall, and no number of dead workers takes more memory. Whoever is asked sums up all places.
"""

import mmap
import os
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Final

import structlog

from gatehouse.common.application.metrics import Counter, Gauge, Histogram, Labels, Metric

DEATHS: Final = Counter(
    name="gatehouse_worker_deaths_total", help="Server processes that have ended; each is replaced."
)
WORKERS: Final = Gauge(name="gatehouse_workers", help="Server processes that run.")
CPU: Final = Counter(name="process_cpu_seconds_total", help="Processor time of the server processes, in seconds.")
OWN_METRICS: Final = (DEATHS, WORKERS, CPU)

_BYTES: Final = 8
_PID: Final = 0
"""Where the process that has the place writes its id; 0: none."""
_VALUES: Final = 1
"""Where the series begin."""

_log = structlog.get_logger()


class SharedMetrics:
    """Made before the workers are forked."""

    def __init__(self, series: Mapping[Metric, Sequence[Labels]], places: int = 1) -> None:
        self.offsets: dict[Metric, dict[Labels, int]] = {}
        """Where each series begins. A counter or gauge is one value; a histogram one for each bucket, and the sum."""
        self._length = _VALUES
        for metric, all_labels in series.items():
            width = _width(metric)
            self.offsets[metric] = {labels: self._length + width * index for index, labels in enumerate(all_labels)}
            self._length += width * len(all_labels)
        self._memory = mmap.mmap(-1, places * self._length * _BYTES)
        self._values = memoryview(self._memory).cast("d")
        self._places = range(places)

    def take(self, place: int) -> "WorkerMetrics":
        """For the process that calls it."""
        values = self._of(place)
        values[_PID] = os.getpid()
        return WorkerMetrics(values, self.offsets)

    def leave(self, place: int) -> None:
        """The process there has ended: its gauges are no more, while what it has counted stays. For its parent."""
        values = self._of(place)
        values[_PID] = 0
        values[self.offsets[DEATHS][()]] += 1
        for metric, offsets in self.offsets.items():
            if isinstance(metric, Gauge):
                for offset in offsets.values():
                    values[offset] = 0

    @property
    def pids(self) -> dict[int, int]:
        """Of the processes that run, by place."""
        pids = {place: int(self._of(place)[_PID]) for place in self._places}
        return {place: pid for place, pid in pids.items() if pid}

    def values(self) -> list[float]:
        """Of the whole server, found by offset. A bucket holds those before it, as Prometheus has them."""
        columns = [*zip(*(self._of(place).tolist() for place in self._places), strict=True)]
        values: list[float] = [*map(sum, columns)]
        for metric, offsets in self.offsets.items():
            for offset in offsets.values():
                if isinstance(metric, Gauge):
                    values[offset] = metric.combine(columns[offset])
                elif isinstance(metric, Histogram):
                    end = offset + len(metric.bounds) + 1
                    values[offset:end] = accumulate(values[offset:end])
        return values

    def _of(self, place: int) -> "memoryview[float]":
        return self._values[place * self._length : (place + 1) * self._length]


class WorkerMetrics:
    """A write is one machine word, so whoever reads meanwhile finds the value of before or after."""

    def __init__(self, values: "memoryview[float]", offsets: Mapping[Metric, Mapping[Labels, int]]) -> None:
        self._values = values
        self._offsets = offsets
        self._watched: dict[int, Callable[[], float]] = {}
        self._cpu_seconds = 0.0
        self.watch(WORKERS, lambda: 1)
        self.sample()

    def count(self, counter: Counter, *labels: str, by: float = 1) -> None:
        self._values[self._offsets[counter][labels]] += by

    def observe(self, histogram: Histogram, amount: float, *labels: str) -> None:
        values, start, bounds = self._values, self._offsets[histogram][labels], histogram.bounds
        values[start + bisect_left(bounds, amount)] += 1
        values[start + len(bounds) + 1] += amount

    def watch(self, gauge: Gauge, read: Callable[[], float], *labels: str) -> None:
        self._watched[self._offsets[gauge][labels]] = read

    def sample(self) -> None:
        """What is watched, and the processor time since the last time. What fails is given up, and all else goes on."""
        for offset, read in list(self._watched.items()):
            try:
                self._values[offset] = read()
            except Exception:  # noqa: BLE001  # whatever it is
                del self._watched[offset]
                _log.exception("gauge_given_up")
        before, self._cpu_seconds = self._cpu_seconds, time.process_time()
        self.count(CPU, by=self._cpu_seconds - before)


def _width(metric: Metric) -> int:
    return len(metric.bounds) + 2 if isinstance(metric, Histogram) else 1
