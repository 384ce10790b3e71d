"""How `gatehouse serve` ends: within its grace, whatever is open, and never without its workers."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import LiteralString

import httpx
import psycopg
import pytest
from psycopg.rows import scalar_row

from gatehouse.testing.database import CreateDatabase
from gatehouse.testing.fakes import PASSWORD
from tests.integration.embedded import is_stopped, wait_until
from tests.server_process import ServerProcess

pytestmark = pytest.mark.promise("R2")

ALICE = {"username": "alice", "password": PASSWORD}
LOCKED: LiteralString = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
BACKENDS: LiteralString = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND application_name = 'gatehouse'"
PATIENCE_SECONDS = 25
"""Grace and closing take four; the rest is for a slow machine."""


@pytest.fixture
def url(create_database: CreateDatabase) -> str:
    return create_database("shutdown")


@pytest.fixture
def monitor(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as monitor:
        yield monitor


def sign_up(server: ServerProcess, username: str = "alice") -> int:
    body = {"username": username, "password": PASSWORD}
    return httpx.post(f"{server.url}/api/v1/account/signup", json=body, timeout=30).status_code


def log_in(server: ServerProcess) -> int | None:
    """None where the connection is closed instead of an answer."""
    try:
        return httpx.post(f"{server.url}/api/v1/account/login", json=ALICE, timeout=60).status_code
    except httpx.TransportError:
        return None


def count(monitor: psycopg.Connection, statement: LiteralString, *parameters: object) -> int:
    found = monitor.cursor(row_factory=scalar_row).execute(statement, parameters).fetchone()
    assert isinstance(found, int)
    return found


def end_within_patience(server: ServerProcess) -> str:
    began = time.monotonic()
    log = server.end()
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert server.process.returncode == 0
    assert not server.takes_connections
    return log


GET = b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /api/v1/account/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
UNFINISHED = {
    "says nothing": b"",
    "idle": GET % b"/livez",
    "half a head": b"GET / HTTP/1.1\r\nHost: loc",
    "half a body": POST + b'Content-Length: 100\r\n\r\n{"user',
    "half a chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n50\r\n{",
    "reads nothing": (GET % b"/openapi.json") * 16,
}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_ends_within_its_grace_whatever_its_clients_do(
    url: str, monitor: psycopg.Connection, processes: ExitStack, tmp_path: Path, workers: int
) -> None:
    server = ServerProcess(
        tmp_path, processes, workers, GATEHOUSE_POSTGRES__URL=url, GATEHOUSE_UVICORN__GRACE_SECONDS="1"
    )
    assert sign_up(server) == 201
    with ExitStack() as stack, ThreadPoolExecutor() as client, psycopg.connect(url) as owner:
        for sent in UNFINISHED.values():
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(sent)
        owner.execute("SELECT FROM users FOR UPDATE")
        waits_for_a_lock = client.submit(log_in, server)
        wait_until(lambda: count(monitor, LOCKED, monitor.info.dbname) == 1)
        # Those who wait for something else have been read by now, too.

        server.process.terminate()
        log = end_within_patience(server)

        assert waits_for_a_lock.result() in (None, 503)
        owner.rollback()
    assert "cut_off" in log
    assert count(monitor, "SELECT count(*) FROM users") == 1  # what was acknowledged
    assert count(monitor, "SELECT count(*) FROM sessions") == 0  # what was not


@pytest.mark.parametrize("workers", [1, 2])
def test_a_database_that_does_not_answer_keeps_no_server_from_its_end(
    url: str, monitor: psycopg.Connection, processes: ExitStack, tmp_path: Path, workers: int
) -> None:
    server = ServerProcess(
        tmp_path,
        processes,
        workers,
        GATEHOUSE_POSTGRES__URL=url,
        GATEHOUSE_POSTGRES__POOL_SIZE="1",
        GATEHOUSE_UVICORN__GRACE_SECONDS="1",
    )
    assert sign_up(server) == 201
    # A worker connects when it is first asked; a connection that is opened later would not be frozen.
    wait_until(lambda: server.status("/readyz") == 200 and len(backends(monitor)) == workers)
    with frozen(backends(monitor)), ThreadPoolExecutor() as client:
        in_flight = client.submit(log_in, server)
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(GET % b"/readyz")

            server.process.terminate()
            end_within_patience(server)

        assert in_flight.result() in (None, 503)


def backends(monitor: psycopg.Connection) -> list[int]:
    return [pid for (pid,) in monitor.execute(BACKENDS, [monitor.info.dbname])]


@contextmanager
def frozen(pids: list[int]) -> Iterator[None]:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize(
    ("workers", "signals"),
    [(1, [signal.SIGTERM] * 3), (1, [signal.SIGHUP, signal.SIGINT]), (2, [signal.SIGINT] * 3)],
)
def test_further_signals_hurry_the_end_and_skip_no_part_of_it(
    cluster: Path, processes: ExitStack, workers: int, signals: list[signal.Signals]
) -> None:
    server = ServerProcess(
        cluster.parent,
        processes,
        workers,
        GATEHOUSE_POSTGRES__DATA_DIR=str(cluster),
        GATEHOUSE_UVICORN__DRAIN_SECONDS="600",
        GATEHOUSE_UVICORN__GRACE_SECONDS="600",
    )
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(UNFINISHED["half a body"])
        for number in signals:
            os.killpg(server.process.pid, number)  # as a terminal does, to all processes
            time.sleep(0.3)  # two signals of a kind that come together are one

        end_within_patience(server)
    assert is_stopped(cluster)


def test_workers_go_with_a_parent_that_is_killed_and_the_next_start_is_clean(
    cluster: Path, processes: ExitStack
) -> None:
    server = ServerProcess(cluster.parent, processes, 2, GATEHOUSE_POSTGRES__DATA_DIR=str(cluster))
    workers = server.worker_pids
    assert len(workers) == 2
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(UNFINISHED["half a body"])

        server.process.kill()
        server.process.wait()

        wait_until(lambda: not any(map(is_alive, workers)))
    assert not server.takes_connections
    assert not is_stopped(cluster)

    server.start()
    server.wait()
    server.process.terminate()
    end_within_patience(server)
    assert is_stopped(cluster)


def is_alive(pid: int) -> bool:
    """Orphans that have ended may wait for someone to ask how, where process 1 does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_stop_while_it_starts_leaves_nothing_behind(
    cluster: Path, processes: ExitStack, stop: signal.Signals
) -> None:
    server = ServerProcess(cluster.parent, processes, 4, waits=False, GATEHOUSE_POSTGRES__DATA_DIR=str(cluster))
    server.log_until("listening")

    server.process.send_signal(stop)

    end_within_patience(server)
    assert is_stopped(cluster)


_STUBBORN = """
import asyncio, os, signal
from uvicorn import Config
from gatehouse.common.settings import UvicornSettings
from gatehouse.setup.sockets import listening_sockets
from gatehouse.setup.stoppable_server import StoppableServer

async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
    else:
        print("in work", flush=True)
    while True:
        try:
            await asyncio.sleep(3_600)
        except asyncio.CancelledError:
            pass

with listening_sockets(UvicornSettings(port=0)) as sockets:
    print(sockets[0].getsockname()[1], flush=True)
    config = Config(application, log_config=None)
    StoppableServer(config, drain_seconds=0, grace_seconds=0, signals=[signal.SIGTERM]).run(sockets)
print("has left", flush=True)
os._exit(0)
"""


def test_an_application_that_no_cancellation_ends_is_left_behind(processes: ExitStack) -> None:
    command = [sys.executable, "-c", _STUBBORN]
    server = processes.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    processes.callback(server.kill)
    assert server.stdout
    port = int(server.stdout.readline())
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(GET % b"/")
        assert server.stdout.readline() == "in work\n"

        server.terminate()

        out, _ = server.communicate(timeout=60)
    assert out.endswith("has left\n")


_HANGING = """
import signal, time
from uvicorn import Config
from gatehouse.common.settings import UvicornSettings
from gatehouse.setup.sockets import listening_sockets
from gatehouse.setup.stoppable_server import StoppableServer

async def application(scope, receive, send):
    print("hangs", flush=True)
    time.sleep(3_600)

with listening_sockets(UvicornSettings(port=0)) as sockets:
    print(sockets[0].getsockname()[1], flush=True)
    config = Config(application, log_config=None, lifespan="off")
    StoppableServer(
        config, drain_seconds={drain}, grace_seconds=0, signals=[signal.SIGTERM]
    ).run(sockets)
"""


@pytest.mark.parametrize(("drain", "signals"), [(0, 1), (600, 2)])
def test_a_process_whose_event_loop_hangs_ends_all_the_same(processes: ExitStack, drain: int, signals: int) -> None:
    command = [sys.executable, "-c", _HANGING.format(drain=drain)]
    server = processes.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    processes.callback(server.kill)
    assert server.stdout
    port = int(server.stdout.readline())
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(GET % b"/")
        assert server.stdout.readline() == "hangs\n"

        for _ in range(signals):
            server.terminate()
            time.sleep(0.3)  # two signals of a kind that come together are one

        assert server.wait(PATIENCE_SECONDS) == 1
