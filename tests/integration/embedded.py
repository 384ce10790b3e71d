"""Data directories of an embedded PostgreSQL, and processes that share one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from subprocess import PIPE

import psycopg

_USE = """
import sys
from pathlib import Path
from gatehouse.common.infrastructure.embedded_postgres import embedded_postgres
print("ready", flush=True)
input()
with embedded_postgres(Path(sys.argv[1])) as url:
    input(url + "\\n")
"""


class ServerUser:
    """A process that uses the server of a data directory until it is told to leave."""

    def __init__(self, data_dir: Path, processes: ExitStack) -> None:
        command = [sys.executable, "-c", _USE, str(data_dir)]
        self.process = processes.enter_context(subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True))
        processes.callback(self.process.kill)
        assert self._next_line() == "ready"

    def start(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("start\n")
        self.process.stdin.flush()

    def wait_for_url(self) -> str:
        return self._next_line()

    def leave(self) -> None:
        self.process.communicate("leave\n", timeout=60)
        assert self.process.returncode == 0

    def _next_line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()


def server_pid(data_dir: Path) -> int | None:
    file = data_dir / "postmaster.pid"
    return int(file.read_text().split()[0]) if file.exists() else None


def kill_server(data_dir: Path, how: signal.Signals) -> None:
    if pid := server_pid(data_dir):
        os.kill(pid, how)
        wait_until(lambda: not _is_alive(pid))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def is_reachable(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def is_stopped(data_dir: Path) -> bool:
    return not (data_dir / "postmaster.pid").exists()


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
