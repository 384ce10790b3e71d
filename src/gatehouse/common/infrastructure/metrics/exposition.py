"""Metrics as Prometheus reads them: in its text format, or in that of OpenMetrics."""

import platform
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Final

from prometheus_client import exposition
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from gatehouse.common.application.metrics import Counter, Histogram, Labels, Metric
from gatehouse.common.infrastructure.metrics.shared_metrics import CPU, SharedMetrics

_UNITS: Final = ("seconds", "bytes")
_WEIGHT: Final = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Format:
    media_type: str
    version: str
    write: Callable[[Collector], bytes]
    end: str = ""

    @property
    def content_type(self) -> str:
        return f"{self.media_type}; version={self.version}; charset=utf-8"

    def encode(self, families: Iterable[Family]) -> str:
        return self.write(_Families([*families])).decode().removesuffix(self.end)


_FORMATS: Final = (
    _Format("text/plain", "0.0.4", exposition.generate_latest),
    _Format("application/openmetrics-text", "1.0.0", openmetrics.generate_latest, end="# EOF\n"),
)


class Exposition:
    """What is the same at every scrape, which is nearly all of it, is written once: that takes some 50 ms, in which no
    request would be answered.
    """

    def __init__(self, metrics: SharedMetrics) -> None:
        self._metrics = metrics
        self._templates = {chosen: _template(chosen, metrics) for chosen in _FORMATS}

    def expose(self, accept: str) -> tuple[str, bytes]:
        """The media type, and the text."""
        chosen, values = _choose_format(accept), self._metrics.values()
        lines = [f"{text}{values[offset]}\n" for text, offset in self._templates[chosen]]
        return chosen.content_type, "".join([self._head(chosen), *lines, chosen.end]).encode()

    def _head(self, chosen: _Format) -> str:
        build = {"version": version("gatehouse"), "python_version": platform.python_version()}
        info = InfoMetricFamily("gatehouse_build", "What runs here.", value=build)
        return chosen.encode([info, *_processes(self._metrics.pids)])


def _choose_format(accept: str) -> _Format:
    """The one with the greatest weight (RFC 9110, 12.5.1). The library's own function fails on a version that is no
    number.
    """
    chosen, greatest = _FORMATS[0], 0.0
    for entry in accept.split(","):
        media_type, *parameters = (part.strip() for part in entry.lower().split(";"))
        weight = next((float(match[1]) for text in parameters if (match := _WEIGHT.fullmatch(text))), 1.0)
        found = next((known for known in _FORMATS if known.media_type == media_type), None)
        if found and weight > greatest:
            chosen, greatest = found, weight
    return chosen


def _template(chosen: _Format, metrics: SharedMetrics) -> list[tuple[str, int]]:
    """The library writes where each value is to be found, as if that were the value."""
    pieces, before = [], ""
    families = [_family(metric, offsets) for metric, offsets in metrics.offsets.items()]
    for line in chosen.encode(families).splitlines(keepends=True):
        if line.startswith("#"):
            before += line
            continue
        text, _, offset = line.rpartition(" ")
        pieces.append((f"{before}{text} ", int(float(offset))))
        before = ""
    return pieces


def _family(metric: Metric, offsets: Mapping[Labels, int]) -> Family:
    """With offsets for values."""
    name = metric.name.removesuffix("_total")
    unit = next((unit for unit in _UNITS if name.endswith(f"_{unit}")), "")
    if isinstance(metric, Histogram):
        histogram = HistogramMetricFamily(name, metric.help, labels=metric.labels, unit=unit)
        for labels, offset in offsets.items():
            buckets = [(str(bound), float(offset + index)) for index, bound in enumerate((*metric.bounds, "+Inf"))]
            histogram.add_metric(labels, buckets, offset + len(buckets))
        return histogram
    kind = CounterMetricFamily if isinstance(metric, Counter) else GaugeMetricFamily
    family = kind(name, metric.help, labels=metric.labels, unit=unit)
    for labels, offset in offsets.items():
        family.add_metric(labels, offset)
    return family


def _processes(pids: Mapping[int, int]) -> list[Family]:
    """Where there is /proc. The processor time is counted by the workers themselves, and does not end with them."""
    families: dict[str, Family] = {}
    for place, pid in pids.items():
        for found in ProcessCollector(pid=partial(int, pid), registry=None).collect():
            family = families.setdefault(found.name, Family(found.name, found.documentation, found.type))
            for sample in found.samples:
                family.add_sample(sample.name, {"worker": str(place)}, sample.value)
    return [family for name, family in families.items() if f"{name}_total" != CPU.name]


class _Families(Collector):
    def __init__(self, families: list[Family]) -> None:
        self._families = families

    def collect(self) -> list[Family]:
        return self._families
