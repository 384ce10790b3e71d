"""The listener of the metrics: what it answers, and whom it does not let hold it up."""

import asyncio
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest

from gatehouse.common.infrastructure.metrics.exposition import Exposition
from gatehouse.common.infrastructure.metrics.settings import MetricsSettings
from gatehouse.common.infrastructure.metrics.shared_metrics import SharedMetrics
from gatehouse.common.settings import ConfigError, Settings
from gatehouse.setup.metrics import ServerMetrics, open_metrics, series_of
from gatehouse.setup.sockets import listening_sockets
from gatehouse.testing.running_app import RunningApp
from gatehouse.testing.under_test import modules_under_test

pytestmark = [pytest.mark.promise("R11"), pytest.mark.slow]  # starts servers

MAX_CONNECTIONS = 16


@dataclass
class Listener:
    client: httpx.AsyncClient
    connections: ExitStack
    port: int

    def connect(self, data: bytes) -> socket.socket:
        connection = self.connections.enter_context(socket.create_connection(("127.0.0.1", self.port)))
        connection.sendall(data)
        connection.setblocking(False)  # noqa: FBT003  # its signature
        return connection


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    memory = SharedMetrics(series_of(modules_under_test()))
    with listening_sockets(MetricsSettings(port=0)) as sockets:
        metrics = ServerMetrics(memory, Exposition(memory).expose, sockets, [])
        port = sockets[0].getsockname()[1]
        async with (
            metrics.serve(memory.take(0)),
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client,
        ):
            with ExitStack() as connections:
                yield Listener(client, connections, port)


async def test_a_scrape_is_answered(listener: Listener) -> None:
    answer = await listener.client.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "gatehouse_workers 1.0\n" in answer.text


async def test_a_scraper_of_openmetrics_gets_it(listener: Listener) -> None:
    answer = await listener.client.get("/metrics", headers={"accept": "application/openmetrics-text;version=1.0.0"})

    assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert answer.text.endswith("# EOF\n")


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_metrics_can_only_be_read(listener: Listener, method: str) -> None:
    answer = await listener.client.request(method, "/metrics")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize("path", ["/", "/metrics/", "/livez", "/api/v1/users/", "/docs"])
async def test_there_is_nothing_else_on_the_listener(listener: Listener, path: str) -> None:
    assert (await listener.client.get(path)).status_code == 404


async def test_a_head_beyond_the_limit_is_refused(listener: Listener) -> None:
    answer = await listener.client.get("/metrics", headers={"accept": "x" * 40_000})

    assert answer.status_code == 431


async def test_slow_scrapers_hold_nobody_up(listener: Listener) -> None:
    """Some send half a request, and others read nothing of many answers."""
    for _ in range(5):
        listener.connect(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")
        listener.connect(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 10)

    for _ in range(3):
        assert (await listener.client.get("/metrics")).status_code == 200


async def test_no_crowd_of_scrapers_takes_all_the_files(listener: Listener) -> None:
    crowd = [listener.connect(b"") for _ in range(MAX_CONNECTIONS + 1)]

    async with asyncio.timeout(10):
        assert await asyncio.get_running_loop().sock_recv(crowd[-1], 1) == b""


async def test_the_public_port_has_no_metrics(app: RunningApp) -> None:
    client = await app.client()

    assert (await client.get("/metrics")).status_code == 404


def test_a_taken_port_is_one_line(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(ConfigError, match=re.escape(f"metrics.port: {port} is taken; stop what listens there")),
            open_metrics(settings.replace(MetricsSettings(port=port)), modules_under_test()),
        ):
            pass


def test_without_metrics_the_client_library_is_not_even_imported() -> None:
    imported = "import sys, gatehouse.setup.cli; sys.exit('prometheus_client' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", imported], check=False).returncode == 0


def test_by_default_there_is_no_listener(settings: Settings) -> None:
    with open_metrics(settings, modules_under_test()) as metrics:
        assert metrics is None
