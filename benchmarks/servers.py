"""The contenders: each one process, one worker, on a port of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from benchmarks.database import JWT_SECRET, PASSWORD_PEPPER, BenchmarkDatabase
from benchmarks.progress import tell
from benchmarks.root import ROOT
from gatehouse.common.settings import PostgresSettings

PRODUCT: Final = "gatehouse serve"
REFERENCE: Final = "benchmarks.reference:application"
BARE: Final = "benchmarks.bare:application"
_PATIENCE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    pid: int
    seconds_to_first_answer: float

    @property
    def resident_bytes(self) -> int:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def serving(application: str, database: BenchmarkDatabase, path: str = "/", **settings: str) -> Iterator[Server]:
    port = _free_port()
    environment = {
        **os.environ,
        "GATEHOUSE_APP__ENVIRONMENT": "test",
        "GATEHOUSE_COOKIE__SECURE": "false",  # plain HTTP
        "GATEHOUSE_POSTGRES__URL": database.server_url,
        "GATEHOUSE_POSTGRES__POOL_SIZE": str(PostgresSettings().pool_size),
        "GATEHOUSE_JWT__SECRET": JWT_SECRET,
        "GATEHOUSE_PASSWORD__PEPPER": PASSWORD_PEPPER,
        "GATEHOUSE_LOGS__LEVEL": "error",
        "GATEHOUSE_UVICORN__PORT": str(port),
        **settings,
    }
    command = _command(application, port)
    tell(f"starting {application}")
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, cwd=ROOT)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}{path}", database)
        yield Server(url, process.pid, time.perf_counter() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def _command(application: str, port: int) -> list[str | Path]:
    """The product as it is run, with its own connections and their limits."""
    if application == PRODUCT:
        return [Path(sys.executable).with_name("gatehouse"), "serve"]
    command = [sys.executable, "-m", "uvicorn", application, f"--port={port}", "--loop=uvloop", "--http=httptools"]
    return [*command, "--no-access-log", "--no-proxy-headers", "--log-level=error"]


def _wait_for(url: str, database: BenchmarkDatabase) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with httpx.Client(headers={"Cookie": f"session={database.token}"}) as client:  # to make one takes long itself
        while time.monotonic() < deadline:
            try:
                if client.get(url).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                time.sleep(0.02)
    raise TimeoutError(f"{url} did not answer within {_PATIENCE_SECONDS} seconds.")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
