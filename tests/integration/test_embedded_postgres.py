"""Processes share an embedded server, which stops with the last of them."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from subprocess import PIPE

import httpx
import psycopg
import pytest

from tests.fakes import PASSWORD

GATEHOUSE = Path(sys.executable).with_name("gatehouse")
SERVER_USER = """
import sys
from pathlib import Path
from gatehouse.common.infrastructure.embedded_postgres import embedded_postgres
with embedded_postgres(Path(sys.argv[1])) as url:
    input(url + "\\n")
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gatehouse-tests-") as folder:
        data_dir = Path(folder) / "postgres"
        yield data_dir
        if pid := server_pid(data_dir):  # after a failed test only
            os.kill(pid, signal.SIGQUIT)


@pytest.fixture
def processes() -> Iterator[ExitStack]:
    """Stops the processes even if a test fails."""
    with ExitStack() as processes:
        yield processes


def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


class ServerUser:
    """A process that uses the server until it is told to leave."""

    def __init__(self, data_dir: Path, processes: ExitStack) -> None:
        command = [sys.executable, "-c", SERVER_USER, str(data_dir)]
        self.process = processes.enter_context(subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True))
        processes.callback(self.process.kill)
        assert self.process.stdout
        self.url = self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate("go\n", timeout=15)
        assert self.process.returncode == 0


def server_pid(data_dir: Path) -> int | None:
    file = data_dir / "postmaster.pid"
    return int(file.read_text().split()[0]) if file.exists() else None


def is_reachable(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def is_stopped(data_dir: Path) -> bool:
    return not (data_dir / "postmaster.pid").exists()


def test_processes_share_one_server_and_the_last_to_leave_stops_it(data_dir: Path, processes: ExitStack) -> None:
    first = ServerUser(data_dir, processes)
    pid = server_pid(data_dir)
    second = ServerUser(data_dir, processes)
    assert (second.url, server_pid(data_dir)) == (first.url, pid)

    first.leave()
    with psycopg.connect(second.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)

    second.leave()
    assert is_stopped(data_dir)
    assert not is_reachable(second.url)


def test_a_killed_process_leaves_its_data_and_does_not_keep_the_server_running(
    data_dir: Path, processes: ExitStack
) -> None:
    first = ServerUser(data_dir, processes)
    with psycopg.connect(first.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    first.process.kill()
    first.process.wait()

    second = ServerUser(data_dir, processes)
    with psycopg.connect(second.url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)

    second.leave()
    assert is_stopped(data_dir)
    assert not is_reachable(second.url)


class Server:
    """`gatehouse serve` on a free port, with a data directory of its own."""

    def __init__(self, data_dir: Path, processes: ExitStack) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GATEHOUSE_")},
            "GATEHOUSE_APP__ENVIRONMENT": "test",
            "GATEHOUSE_UVICORN__PORT": str(port),
            "GATEHOUSE_POSTGRES__DATA_DIR": str(data_dir),
            "GATEHOUSE_PASSWORD__WORK_FACTOR": "4",
        }
        self.process = processes.enter_context(
            subprocess.Popen([GATEHOUSE, "serve"], env=self.environ, stderr=PIPE, text=True)
        )
        processes.callback(self.process.kill)
        until(lambda: self.answers("/livez") == 200)

    def answers(self, path: str) -> int | None:
        try:
            return httpx.get(self.url + path).status_code
        except httpx.TransportError:
            assert self.process.poll() is None, "the server has ended"
            return None

    def gatehouse(self, *arguments: str, stdin: str = "") -> str:
        command = [str(GATEHOUSE), *arguments]
        result = subprocess.run(command, env=self.environ, input=stdin, text=True, capture_output=True, check=True)
        return result.stdout

    def stop(self, how: signal.Signals) -> str:
        self.process.send_signal(how)
        _, log_output = self.process.communicate(timeout=15)
        return log_output


def test_a_service_that_is_interrupted_stops_and_so_does_its_database(data_dir: Path, processes: ExitStack) -> None:
    server = Server(data_dir, processes)
    assert server.answers("/readyz") == 503

    assert server.gatehouse("migrate") == "The database schema is the newest.\n"
    output = server.gatehouse("create-super-admin", "chief", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert output == "Created the super admin chief.\n"
    assert server.answers("/readyz") == 200
    credentials = {"username": "chief", "password": PASSWORD}
    assert httpx.post(f"{server.url}/api/v1/account/login", json=credentials).status_code == 204

    log_output = server.stop(signal.SIGINT)

    assert "Traceback" not in log_output
    assert is_stopped(data_dir)


def test_a_service_that_is_terminated_stops_and_so_does_its_database(data_dir: Path, processes: ExitStack) -> None:
    server = Server(data_dir, processes)

    log_output = server.stop(signal.SIGTERM)

    assert server.process.returncode == 0
    assert "Traceback" not in log_output
    assert is_stopped(data_dir)
