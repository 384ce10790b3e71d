"""`gatehouse serve` as a process, on an embedded PostgreSQL: how it starts, answers and stops."""

import io
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from subprocess import PIPE

import httpx
import psycopg
import pytest

from gatehouse.common.infrastructure.embedded_postgres import embedded_postgres
from gatehouse.setup.cli import main
from tests.database import SERVER_ROLE
from tests.fakes import PASSWORD
from tests.integration.embedded import is_stopped, wait_until

GATEHOUSE = Path(sys.executable).with_name("gatehouse")
LOGIN = "/api/v1/account/login"
CREDENTIALS = {"username": "chief", "password": PASSWORD}
CONNECTED = "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'gatehouse'"
WAITING_FOR_A_LOCK = """
    SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gatehouse' AND wait_event_type = 'Lock'
"""


class Server:
    """On a free port, with a data directory of its own."""

    def __init__(self, data_dir: Path, processes: ExitStack, workers: int = 1) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.environ = {
            "GATEHOUSE_APP__ENVIRONMENT": "test",
            "GATEHOUSE_UVICORN__PORT": str(port),
            "GATEHOUSE_UVICORN__WORKERS": str(workers),
            "GATEHOUSE_POSTGRES__DATA_DIR": str(data_dir),
            "GATEHOUSE_PASSWORD__WORK_FACTOR": "4",
        }
        environ = {name: value for name, value in os.environ.items() if not name.startswith("GATEHOUSE_")}
        self.process = processes.enter_context(
            subprocess.Popen(
                [GATEHOUSE, "serve"], cwd=data_dir.parent, env=environ | self.environ, stderr=PIPE, text=True
            )
        )
        processes.callback(self.process.kill)
        wait_until(lambda: self.status("/livez") == 200)

    def status(self, path: str) -> int | None:
        try:
            return httpx.get(self.url + path).status_code
        except httpx.TransportError:
            assert self.process.poll() is None, "the server has ended"
            return None

    def log_in(self) -> int:
        return httpx.post(f"{self.url}{LOGIN}", json=CREDENTIALS, timeout=60).status_code

    def log_until(self, text: str) -> str:
        lines = [""]
        while text not in lines[-1]:
            assert self.process.stderr
            lines.append(self.process.stderr.readline())
            assert lines[-1], "the server has ended"
        return "".join(lines)

    def end(self) -> str:
        """Waits for its end; gives back its log."""
        _, log = self.process.communicate(timeout=60)
        assert "Traceback" not in log
        return log


@pytest.fixture
def processes() -> Iterator[ExitStack]:
    """Stops the processes even if a test fails."""
    with ExitStack() as processes:
        yield processes


@pytest.fixture
def gatehouse(
    logs_as_before: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """The command line beside the server, with the same settings; it says what it did."""
    assert logs_as_before is None

    def run(server: Server, *arguments: str, stdin: str = "") -> str:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["gatehouse", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        with pytest.raises(SystemExit):
            main()
        return capsys.readouterr().out

    return run


def test_the_command_line_shares_the_database_of_a_server_and_an_interrupt_stops_both(
    cluster: Path, processes: ExitStack, gatehouse: Callable[..., str]
) -> None:
    server = Server(cluster, processes)
    assert server.status("/readyz") == 503

    assert gatehouse(server, "migrate") == "The database schema is the newest.\n"
    answer = gatehouse(server, "create-super-admin", "chief", "--password-stdin", stdin=PASSWORD)
    assert answer == "Created the super admin chief.\n"
    assert server.status("/readyz") == 200
    assert server.log_in() == 204

    server.process.send_signal(signal.SIGINT)
    assert server.end().startswith(
        f"Gatehouse serves {server.url}\n"
        f"Configuration: no config.toml in {cluster.parent}, so the defaults\n"
        f"API documentation: {server.url}/docs\n"
        f"The first super admin: {GATEHOUSE} create-super-admin USERNAME (in another terminal)\n"
    )
    assert is_stopped(cluster)


@pytest.mark.promise("K3")
def test_workers_that_are_terminated_answer_the_request_in_work_and_their_database_stops(
    cluster: Path, processes: ExitStack, gatehouse: Callable[..., str]
) -> None:
    server = Server(cluster, processes, workers=2)
    gatehouse(server, "migrate")
    gatehouse(server, "create-super-admin", "chief", "--password-stdin", stdin=PASSWORD)
    with (
        embedded_postgres(cluster) as owner_url,
        psycopg.connect(owner_url, autocommit=True) as monitor,
        ThreadPoolExecutor() as client,
        psycopg.connect(owner_url) as owner,
    ):
        owner.execute("SELECT FROM users FOR UPDATE")
        answer = client.submit(server.log_in)
        wait_until(lambda: monitor.execute(WAITING_FOR_A_LOCK).fetchone() == (1,))
        assert monitor.execute(CONNECTED).fetchall() == [(SERVER_ROLE,)]
        server.process.terminate()
        log = server.log_until("Waiting for connections to close")
        owner.rollback()
        assert answer.result() == 204
    log += server.end()

    assert len(set(re.findall(r"Started server process \[(\d+)\]", log))) == 2
    assert server.process.returncode == 0
    assert is_stopped(cluster)
