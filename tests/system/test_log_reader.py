"""A server whose log nobody reads any more serves on, and ends when it is told to."""

import os
import shlex
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from gatehouse.testing.database import CreateDatabase
from gatehouse.testing.fakes import PASSWORD
from tests.integration.embedded import wait_until
from tests.server_process import GATEHOUSE, ServerProcess

pytestmark = pytest.mark.promise("R10")

ALICE = {"username": "alice", "password": PASSWORD}
LINES_THAT_FILL_A_PIPE = 1_000


@pytest.fixture(params=[1, 2])
def server(
    create_database: CreateDatabase, processes: ExitStack, tmp_path: Path, request: pytest.FixtureRequest
) -> ServerProcess:
    server = ServerProcess(tmp_path, processes, request.param, GATEHOUSE_POSTGRES__URL=create_database("log_reader"))
    assert post(server, "signup") == 201
    return server


def post(server: ServerProcess, call: str) -> int:
    return httpx.post(f"{server.url}/api/v1/account/{call}", json=ALICE, timeout=60).status_code


def test_a_reader_that_has_gone_fails_no_request_and_no_process(server: ServerProcess) -> None:
    assert server.process.stderr
    server.process.stderr.close()

    assert post(server, "login") == 204
    assert server.status("/api/v1/account/me") == 401

    workers = server.worker_pids
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(server.worker_pids - workers) == len(workers))
    wait_until(lambda: server.status("/readyz") == 200)
    server.process.terminate()
    assert server.process.wait(60) == 0


def test_a_reader_that_has_stopped_holds_up_neither_requests_nor_the_end(server: ServerProcess) -> None:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        refused = [client.get("/api/v1/account/me").status_code for _ in range(LINES_THAT_FILL_A_PIPE)]

    assert set(refused) == {401}
    with ThreadPoolExecutor() as clients:
        assert set(clients.map(lambda _: post(server, "login"), range(4))) == {204}
    server.process.terminate()
    assert server.process.wait(60) == 0


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_a_server_whose_standard_streams_are_closed_serves(
    create_database: CreateDatabase, processes: ExitStack, tmp_path: Path, closed: str
) -> None:
    server = ServerProcess(tmp_path, processes, waits=False, GATEHOUSE_POSTGRES__URL=create_database("log_reader"))
    server.process.terminate()
    server.process.wait(60)
    command = f"exec {shlex.quote(str(GATEHOUSE))} serve {closed}"
    environ = {**os.environ, **server.environ}
    server.process = processes.enter_context(
        subprocess.Popen(["sh", "-c", command], cwd=tmp_path, env=environ, text=True, start_new_session=True)
    )
    processes.callback(server.process.kill)
    server.wait()

    assert post(server, "signup") == 201
    server.process.terminate()
    assert server.process.wait(60) == 0
