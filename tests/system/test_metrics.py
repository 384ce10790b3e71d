"""Debian's Prometheus scrapes a service with three workers, which die."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from gatehouse.testing.database import CreateDatabase
from tests.integration.embedded import wait_until
from tests.root import ROOT
from tests.server_process import GATEHOUSE, LOGIN, ServerProcess
from tests.system.processes import free_port, run_beside

pytestmark = pytest.mark.promise("R11")

CONFIG = ROOT / "deploy/prometheus/prometheus.yaml"
OPENMETRICS = {"accept": "application/openmetrics-text;version=1.0.0"}
WORKERS = 3
DEATHS = 100
PROBES = 'gatehouse_http_requests_total{route="/livez",status="2xx"}'


class MeasuredServer(ServerProcess):
    def __init__(self, folder: Path, processes: ExitStack, database: str, workers: int = WORKERS) -> None:
        self.metrics_port = free_port()
        super().__init__(
            folder,
            processes,
            workers,
            GATEHOUSE_POSTGRES__URL=database,
            GATEHOUSE_POSTGRES__POOL_SIZE="1",
            GATEHOUSE_METRICS__PORT=str(self.metrics_port),
        )

    def scrape(self) -> dict[tuple[str, ...], float]:
        """Read by the strict parser of OpenMetrics. Each sample, by its name and the values of its labels."""
        answer = httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics", headers=OPENMETRICS, timeout=60)
        families = text_string_to_metric_families(answer.text)  # type: ignore[no-untyped-call]  # not ours
        return {
            (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
            for family in families
            for sample in family.samples
        }

    def scrape_twice(self) -> dict[tuple[str, ...], float]:
        """So that what is read once a second is as it is by now."""
        time.sleep(1.5)
        return self.scrape()

    def kill(self, pid: int) -> None:
        """Returns when it has been replaced."""
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: pid not in self.worker_pids and len(self.worker_pids) == WORKERS)


@pytest.fixture
def server(create_database: CreateDatabase, processes: ExitStack, tmp_path: Path) -> MeasuredServer:
    return MeasuredServer(tmp_path, processes, create_database("measured"))


@pytest.fixture
def prometheus(server: MeasuredServer, tmp_path: Path) -> Iterator[str]:
    """With the example's configuration and rules, but another port, and quicker."""
    folder = tmp_path / "prometheus"
    folder.mkdir()
    shutil.copy(ROOT / "deploy/prometheus/rules.yaml", folder)
    config = yaml.safe_load(CONFIG.read_text().replace("127.0.0.1:9464", f"127.0.0.1:{server.metrics_port}"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    url = f"http://127.0.0.1:{free_port()}"

    def is_ready() -> bool:
        try:
            return httpx.get(f"{url}/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    command = [
        "prometheus",
        "--config.file=prometheus.yaml",
        "--storage.tsdb.path=data",
        f"--web.listen-address={url.removeprefix('http://')}",
    ]
    with run_beside(command, is_ready, tmp_path / "prometheus.log", cwd=folder):
        yield url


def ask(prometheus: str, query: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{prometheus}/api/v1/query", params={"query": query}).json()
    assert answer["status"] == "success", answer
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


def value(prometheus: str, query: str) -> float | None:
    found = ask(prometheus, query)
    return float(found[0]["value"][1]) if found else None


def counters(samples: dict[tuple[str, ...], float]) -> dict[tuple[str, ...], float]:
    return {key: number for key, number in samples.items() if re.search("_(total|count|sum|bucket)$", key[0])}


def test_prometheus_reads_all_workers_and_no_counter_falls_when_one_is_killed(
    server: MeasuredServer, prometheus: str
) -> None:
    for _ in range(60):
        assert server.status("/livez") == 200
    assert httpx.post(server.url + LOGIN, json={"username": "nobody", "password": "none of mine"}).status_code == 401
    wait_until(lambda: (value(prometheus, PROBES) or 0) >= 60)
    before = counters(server.scrape())

    dead = min(server.worker_pids)
    server.kill(dead)
    after_death = counters(server.scrape())
    for _ in range(60):
        server.status("/livez")
    wait_until(lambda: (value(prometheus, PROBES) or 0) >= 120)

    assert {key: (number, after_death[key]) for key, number in before.items() if after_death[key] < number} == {}
    assert value(prometheus, f"resets({PROBES}[10m])") == 0
    assert value(prometheus, "gatehouse_worker_deaths_total") == 1
    assert value(prometheus, "gatehouse_workers") == WORKERS
    assert len(ask(prometheus, "process_resident_memory_bytes")) == WORKERS
    assert value(prometheus, 'gatehouse_use_cases_total{use_case="log_in",outcome="unauthenticated"}') == 1
    assert value(prometheus, 'gatehouse_pool_max_connections{pool="primary"}') == WORKERS
    assert value(prometheus, 'up{job="gatehouse"}') == 1


def test_a_single_process_answers_for_itself_and_stops_with_its_listener(
    create_database: CreateDatabase, processes: ExitStack, tmp_path: Path
) -> None:
    server = MeasuredServer(tmp_path, processes, create_database("measured"), workers=1)
    assert server.status("/api/v1/") == 200

    samples = server.scrape()
    assert samples["gatehouse_http_requests_total", "GET", "/api/v1/", "2xx"] == 1
    assert samples["gatehouse_workers",] == 1

    server.process.terminate()
    server.end()
    assert server.process.returncode == 0
    with pytest.raises(httpx.ConnectError):
        server.scrape()


def test_a_taken_port_stops_the_start_with_one_line(server: MeasuredServer, tmp_path: Path) -> None:
    environ = {**os.environ, **server.environ, "GATEHOUSE_UVICORN__PORT": str(free_port())}
    second = subprocess.run(
        [GATEHOUSE, "serve"], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )

    assert second.returncode == 1
    assert second.stderr.splitlines() == [
        f"gatehouse: metrics.port: {server.metrics_port} is taken; stop what listens there, or choose another one."
    ]


def test_the_rules_are_evaluated_on_what_the_service_exposes(server: MeasuredServer, prometheus: str) -> None:
    assert server.status("/api/v1/") == 200
    groups = httpx.get(f"{prometheus}/api/v1/rules").json()["data"]["groups"]

    wait_until(lambda: value(prometheus, "gatehouse:failed_requests:ratio_rate5m") is not None)
    for rule in (rule for group in groups for rule in group["rules"]):
        assert rule.get("lastError", "") == "", rule["name"]
    assert len([rule for group in groups for rule in group["rules"]]) > 30


def test_any_number_of_dead_workers_leaves_the_scrape_quick_and_files_and_memory_as_they_were(
    server: MeasuredServer,
) -> None:
    first, parent = server.scrape_twice(), Path(f"/proc/{server.process.pid}")
    files, lines = len(list((parent / "fd").iterdir())), len(first)

    for killed in range(0, DEATHS, WORKERS):
        for pid in server.worker_pids:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda killed=killed: server.scrape()["gatehouse_worker_deaths_total",] >= killed + WORKERS)  # type: ignore[misc]
        wait_until(lambda: len(server.worker_pids) == WORKERS)

    began = time.monotonic()
    last = server.scrape()
    assert time.monotonic() - began < 5
    assert last["gatehouse_worker_deaths_total",] >= DEATHS
    assert len(last) == lines
    assert len(list((parent / "fd").iterdir())) == files
    server.process.terminate()
    server.end()
    assert server.process.returncode == 0


def test_a_worker_that_hangs_holds_up_no_scrape_and_what_it_counted_is_still_read(server: MeasuredServer) -> None:
    for _ in range(30):
        server.status("/livez")
    before = counters(server.scrape())

    hanging = max(server.worker_pids)
    os.kill(hanging, signal.SIGSTOP)
    try:
        scrapes = [counters(server.scrape()) for _ in range(10)]
    finally:
        os.kill(hanging, signal.SIGCONT)

    assert [key for scrape in scrapes for key, number in before.items() if scrape[key] < number] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "rules", "deploy/prometheus/rules.yaml"],
        ["check", "config", "deploy/prometheus/prometheus.yaml"],
        ["test", "rules", "deploy/prometheus/rules_test.yaml"],
    ],
    ids=" ".join,
)
def test_promtool_finds_no_fault(arguments: list[str]) -> None:
    checked = subprocess.run(["promtool", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_promtool_lints_what_is_exposed(server: MeasuredServer) -> None:
    text = httpx.get(f"http://127.0.0.1:{server.metrics_port}/metrics").text
    linted = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)

    assert (linted.returncode, linted.stdout + linted.stderr) == (0, "")
