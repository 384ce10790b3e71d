"""The processes of a server: a slow one is waited for, a dead one is replaced, and what cannot start does not go on."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from gatehouse.testing.database import CreateDatabase
from tests.integration.embedded import wait_until
from tests.server_process import ServerProcess

pytestmark = pytest.mark.promise("R6")

BUSY = "while True: pass"
_RUN = """
import os, sys
from gatehouse.common.settings import ConfigError
from gatehouse.setup.workers import Workers

class Server:
    def run(self, sockets):
        print("serves", flush=True)
        os._exit(9)

def make_server(place):
    print("starts", flush=True)
    {make}
    return Server()

try:
    Workers(number=2, make_server=make_server, sockets=[], stop_seconds=1).run()
finally:
    print("parent leaves", flush=True)
"""


@contextmanager
def busy_cores() -> Iterator[None]:
    with ExitStack() as stack:
        for _ in range(2):
            process = stack.enter_context(subprocess.Popen([sys.executable, "-c", BUSY]))
            stack.callback(process.kill)
        yield


def test_ten_workers_on_busy_cores_all_start_and_a_dead_one_is_replaced(
    create_database: CreateDatabase, processes: ExitStack, tmp_path: Path
) -> None:
    with busy_cores():
        server = ServerProcess(
            tmp_path,
            processes,
            10,
            GATEHOUSE_POSTGRES__URL=create_database("workers"),
            GATEHOUSE_POSTGRES__POOL_SIZE="1",
        )
        log = "".join(server.log_until("Application startup complete") for _ in range(10))
        first = set(map(int, re.findall(r"Started server process \[(\d+)\]", log)))
        assert server.worker_pids == first
        assert len(first) == 10
        assert "worker_ended" not in log

        [dead, *others] = first
        os.kill(dead, signal.SIGKILL)
        server.log_until("worker_ended")
        server.log_until("Application startup complete")

    assert server.status("/readyz") == 200
    assert len(server.worker_pids) == 10
    assert server.worker_pids > set(others)
    server.process.terminate()
    server.end()
    assert server.process.returncode == 0


def run_workers(make: str, stderr: int = subprocess.PIPE) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", _RUN.format(make=make)],
        env={**os.environ, "PYTHONUNBUFFERED": ""},  # so that what could not be written is tried again
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


def test_a_mistake_that_no_worker_can_start_with_ends_the_server_with_one_line_for_each() -> None:
    out, err = (process := run_workers("raise ConfigError('some.key: is wrong.')")).communicate(timeout=60)

    assert process.returncode == 1
    assert 1 <= out.count("starts") <= 2
    lines = {line for line in err.splitlines() if "worker_ended" not in line}
    assert lines == {"gatehouse: some.key: is wrong."}


def test_workers_that_end_at_the_same_time_are_all_noticed() -> None:
    """The kernel may report the ends of several with one signal."""
    process = run_workers("sys.stdin.read(); raise ConfigError('some.key: is wrong.')")
    assert process.stdin
    assert process.stdout
    assert [process.stdout.readline() for _ in range(2)] == ["starts\n"] * 2
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(process.pid, signal.SIGSTOP)
    process.stdin.close()
    wait_until(lambda: all("\nState:\tZ" in Path(f"/proc/{pid}/status").read_text() for pid in workers))
    os.kill(process.pid, signal.SIGCONT)

    with process:
        assert process.wait(60) == 1
        assert "workers_killed" not in process.stdout.read()


def test_a_worker_that_cannot_say_why_it_ends_does_not_run_on_as_a_second_parent() -> None:
    nobody_reads, stderr = os.pipe()
    os.close(nobody_reads)
    process = run_workers("raise ConfigError('some.key: is wrong.')", stderr)
    os.close(stderr)

    out, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    assert out.count("parent leaves") == 1


def test_a_worker_that_does_not_end_is_killed_however_often_the_parent_is_told_to_stop() -> None:
    with run_workers("import time; time.sleep(600)") as process:
        assert process.stdout
        assert [process.stdout.readline() for _ in range(2)] == ["starts\n"] * 2

        def has_ended() -> bool:
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            return process.poll() is not None

        wait_until(has_ended)

        assert process.returncode == 0
        assert "workers_killed" in process.stdout.read()


def test_a_worker_that_dies_again_and_again_is_replaced_at_most_once_a_second() -> None:
    process = run_workers("pass")
    began = time.monotonic()
    assert process.stdout
    served = 0
    while served < 6:
        served += process.stdout.readline() == "serves\n"
    seconds = time.monotonic() - began

    process.terminate()
    process.communicate(timeout=60)

    assert process.returncode == 0
    assert seconds > 2  # two at the start, then two after each pause


def test_a_worker_that_is_killed_before_it_serves_is_replaced(tmp_path: Path) -> None:
    once = tmp_path / "once"
    process = run_workers(f"""try: os.close(os.open({str(once)!r}, os.O_CREAT | os.O_EXCL))
    except FileExistsError: pass
    else: os.kill(os.getpid(), 9)""")
    assert process.stdout
    served = 0
    while served < 2:
        line = process.stdout.readline()
        assert line, "the parent has given up"
        served += line == "serves\n"

    process.terminate()
    process.communicate(timeout=60)

    assert once.exists()
    assert process.returncode == 0
