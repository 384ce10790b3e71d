"""`gatehouse serve` as a process of its own."""

import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from subprocess import PIPE

import httpx

from gatehouse.testing.fakes import PASSWORD
from tests.integration.embedded import wait_until

GATEHOUSE = Path(sys.executable).with_name("gatehouse")
LOGIN = "/api/v1/account/login"
CREDENTIALS = {"username": "chief", "password": PASSWORD}


class ServerProcess:
    """On a free port, started in the given folder, in a process group of its own."""

    def __init__(
        self, folder: Path, processes: ExitStack, workers: int = 1, *, waits: bool = True, **environ: str
    ) -> None:
        """`waits`: it answers from here on."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environ = {
            "GATEHOUSE_APP__ENVIRONMENT": "test",
            "GATEHOUSE_UVICORN__PORT": str(self.port),
            "GATEHOUSE_UVICORN__WORKERS": str(workers),
            "GATEHOUSE_PASSWORD__WORK_FACTOR": "4",
            **environ,
        }
        self._folder = folder
        self._processes = processes
        self.start()
        if waits:
            self.wait()

    def start(self) -> None:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("GATEHOUSE_")}
        self.process = self._processes.enter_context(
            subprocess.Popen(
                [GATEHOUSE, "serve"],
                cwd=self._folder,
                env=environ | self.environ,
                stderr=PIPE,
                text=True,
                start_new_session=True,
            )
        )
        self._processes.callback(self.process.kill)

    def wait(self) -> None:
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

    @property
    def worker_pids(self) -> set[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return set(map(int, children.split()))

    @property
    def takes_connections(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
