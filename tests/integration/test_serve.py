"""`gatehouse serve` as a process, on an embedded PostgreSQL: how it starts, answers and stops."""

import io
import re
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from gatehouse.common.infrastructure.embedded_postgres import embedded_postgres
from gatehouse.setup.cli import main
from gatehouse.testing.database import SERVER_ROLE, CreateDatabase
from gatehouse.testing.fakes import PASSWORD
from tests.integration.embedded import is_stopped, wait_until
from tests.server_process import GATEHOUSE, ServerProcess

pytestmark = pytest.mark.slow

CONNECTED = "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'gatehouse'"
WAITING_FOR_A_LOCK = """
    SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gatehouse' AND wait_event_type = 'Lock'
"""


@pytest.fixture
def gatehouse(
    logs_as_before: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """The command line beside the server, with the same settings; it says what it did."""
    assert logs_as_before is None

    def run(server: ServerProcess, *arguments: str, stdin: str = "") -> str:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["gatehouse", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        with pytest.raises(SystemExit):
            main()
        return capsys.readouterr().out

    return run


@pytest.mark.promise("R2")
def test_the_command_line_shares_the_database_of_a_server_which_drains_and_at_a_second_interrupt_stops_both(
    cluster: Path, processes: ExitStack, gatehouse: Callable[..., str]
) -> None:
    server = ServerProcess(
        cluster.parent, processes, GATEHOUSE_POSTGRES__DATA_DIR=str(cluster), GATEHOUSE_UVICORN__DRAIN_SECONDS="600"
    )
    assert server.status("/readyz") == 503

    assert gatehouse(server, "migrate") == "The database schema is the newest.\n"
    answer = gatehouse(server, "create-super-admin", "chief", "--password-stdin", stdin=PASSWORD)
    assert answer == "Created the super admin chief.\n"
    assert server.status("/readyz") == 200
    assert server.log_in() == 204

    server.process.send_signal(signal.SIGINT)
    wait_until(lambda: server.status("/readyz") == 503)
    assert server.log_in() == 204
    assert httpx.get(f"{server.url}/livez").headers["connection"] == "close"

    server.process.send_signal(signal.SIGINT)
    assert server.end().startswith(
        f"Gatehouse serves {server.url}\n"
        f"Configuration: no config.toml in {cluster.parent}, so the defaults "
        f"(`{GATEHOUSE} config init` writes one)\n"
        f"Console: {server.url}/console/\n"
        f"API documentation: {server.url}/docs\n"
        f"The first super admin: {GATEHOUSE} create-super-admin USERNAME (in another terminal)\n"
    )
    assert server.process.returncode == 0
    assert is_stopped(cluster)


@pytest.mark.promise("K3", "R2")
def test_workers_that_are_terminated_answer_the_request_in_work_and_their_database_stops(
    cluster: Path, processes: ExitStack, gatehouse: Callable[..., str]
) -> None:
    server = ServerProcess(cluster.parent, processes, workers=2, GATEHOUSE_POSTGRES__DATA_DIR=str(cluster))
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
        wait_until(lambda: not server.takes_connections)
        owner.rollback()
        assert answer.result() == 204
    log = server.end()

    assert len(set(re.findall(r"Started server process \[(\d+)\]", log))) == 2
    assert server.process.returncode == 0
    assert is_stopped(cluster)


@pytest.mark.promise("K2")
def test_workers_know_a_secret_of_a_file_which_neither_their_environment_nor_command_line_shows(
    create_database: CreateDatabase, processes: ExitStack, tmp_path: Path
) -> None:
    secret = tmp_path / "url"
    secret.write_text(make_conninfo(create_database("from_file"), password="hunter2-of-the-database"))

    server = ServerProcess(tmp_path, processes, workers=2, GATEHOUSE_POSTGRES__URL_FILE=str(secret))

    assert server.status("/readyz") == 200
    assert len(server.worker_pids) == 2
    for pid in {server.process.pid} | server.worker_pids:
        for seen in ("environ", "cmdline"):
            assert b"hunter2" not in Path(f"/proc/{pid}/{seen}").read_bytes()
    server.process.terminate()
    assert "hunter2" not in server.end()
