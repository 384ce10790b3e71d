"""Metrics as Prometheus reads them, checked with the parsers of its own client."""

import os
from collections.abc import Callable, Iterable

import pytest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from gatehouse.common.application.metrics import Counter, Gauge, Histogram
from gatehouse.common.infrastructure.metrics.exposition import Exposition
from gatehouse.common.infrastructure.metrics.shared_metrics import OWN_METRICS, SharedMetrics

MEALS = Counter(
    name="meals_total", help='Meals, "all" of them.', labels=("dish",), series=(("soup",), ('a "pie"\\\n',))
)
GUESTS = Gauge(name="guests", help="Guests.")
WAITS = Histogram(name="wait_seconds", help="Waits.", labels=("dish",), series=(("soup",), ("pie",)), bounds=(0.1, 1))
TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)


@pytest.fixture
def exposition() -> Exposition:
    memory = SharedMetrics({metric: metric.series or () for metric in (*OWN_METRICS, MEALS, GUESTS, WAITS)}, 2)
    exposition = Exposition(memory)
    own = memory.take(1)
    own.count(MEALS, 'a "pie"\\\n', by=1e21)
    own.watch(GUESTS, lambda: 7)
    own.sample()
    for amount in (0.05, 0.5, 5):
        own.observe(WAITS, amount, "soup")
    return exposition


@pytest.mark.parametrize(
    ("accept", "content_type", "parse"),
    [("text/plain", TEXT, parse_text), ("application/openmetrics-text", OPENMETRICS, parse_openmetrics)],
)
def test_both_formats_hold_every_series_with_its_value(
    exposition: Exposition, accept: str, content_type: str, parse: Callable[[str], Iterable[Family]]
) -> None:
    media_type, text = exposition.expose(accept)
    families = {family.name: family for family in parse(text.decode())}
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in families.values()
        for sample in family.samples
        if family.name in ("meals", "meals_total", "guests", "wait_seconds")
    }

    assert media_type == content_type
    assert samples == {
        ("meals_total", "soup"): 0,
        ("meals_total", 'a "pie"\\\n'): 1e21,
        ("guests",): 7,
        ("wait_seconds_bucket", "soup", "0.1"): 1,
        ("wait_seconds_bucket", "soup", "1"): 2,
        ("wait_seconds_bucket", "soup", "+Inf"): 3,
        ("wait_seconds_count", "soup"): 3,
        ("wait_seconds_sum", "soup"): 5.55,
        ("wait_seconds_bucket", "pie", "0.1"): 0,
        ("wait_seconds_bucket", "pie", "1"): 0,
        ("wait_seconds_bucket", "pie", "+Inf"): 0,
        ("wait_seconds_count", "pie"): 0,
        ("wait_seconds_sum", "pie"): 0,
    }
    assert families["wait_seconds"].type == "histogram"
    assert families["wait_seconds"].documentation == "Waits."


def test_each_worker_is_a_process_of_its_own_and_what_runs_here_is_named(exposition: Exposition) -> None:
    _, text = exposition.expose("")
    samples = [sample for family in parse_text(text.decode()) for sample in family.samples]

    assert [sample.labels for sample in samples if sample.name == "process_open_fds"] == [{"worker": "1"}]
    assert [sample.labels for sample in samples if sample.name == "process_cpu_seconds_total"] == [{}]
    [build] = [sample for sample in samples if sample.name == "gatehouse_build_info"]
    assert build.labels.keys() == {"version", "python_version"}
    assert os.uname().nodename not in text.decode()


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/html", TEXT),
        (PROMETHEUS, OPENMETRICS),
        ("application/openmetrics-text", OPENMETRICS),
        ("Application/OpenMetrics-Text ; Q=0.5", OPENMETRICS),
        ("application/openmetrics-text;q=0.1, text/plain;q=0.2", TEXT),
        ("application/openmetrics-text;q=0", TEXT),
        ("application/openmetrics-text;version=no.number", OPENMETRICS),
        ("application/openmetrics-text;q=nan, text/plain;q=inf", OPENMETRICS),
        (";;q=,,;=", TEXT),
    ],
)
def test_the_client_chooses_the_format(exposition: Exposition, accept: str, content_type: str) -> None:
    media_type, text = exposition.expose(accept)

    assert media_type == content_type
    assert text.endswith(b"# EOF\n") is (content_type == OPENMETRICS)
