"""What docker-compose.yaml and `deploy` declare, run without what they are for: outside of containers, in the image."""

import os
import shutil
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from gatehouse.testing.fakes import PASSWORD
from tests.root import ROOT
from tests.system.compose import API, MIGRATE
from tests.system.image import Image, first_process
from tests.system.processes import free_port, run_beside
from tests.system.service import SECRETS, Service


@dataclass
class Deployment(ABC):
    folder: Path
    """For its log."""
    secrets: Path
    port: int = field(default_factory=free_port)
    variables: Mapping[str, str] = field(default_factory=dict)
    """Beside those of the service."""

    def prepare(self, migrate: Service = MIGRATE, api: Service = API) -> None:
        """Migrates, and makes a super admin, chief."""
        migrated = self.run(migrate)
        assert migrated.returncode == 0, migrated.stderr
        assert migrated.stdout == "The database schema is the newest.\n"
        created = self.run(api, "gatehouse", "create-super-admin", "chief", "--password-stdin", stdin=PASSWORD)
        assert created.returncode == 0, created.stderr

    def run(self, service: Service, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command_line = self.command_line(service, command or service.command)
        return subprocess.run(command_line, input=stdin, capture_output=True, text=True, timeout=120, check=False)

    @contextmanager
    def serve(self, service: Service) -> Iterator[subprocess.Popen[bytes]]:
        command_line = self.command_line(service, service.command)
        with run_beside(command_line, lambda: self.status("/livez") == httpx.codes.OK, self.log) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    self.terminate(process)

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def status(self, path: str) -> int | None:
        try:
            return httpx.get(self.url + path, timeout=10).status_code
        except httpx.TransportError:
            return None

    def log_in(self, username: str = "chief", password: str = PASSWORD) -> httpx.Response:
        body = {"username": username, "password": password}
        path = f"{self.url}/api/v1/account/login"
        return httpx.post(path, json=body, headers={"host": "localhost"}, timeout=60)

    def environ(self, service: Service) -> Mapping[str, str]:
        return {**service.environment, **self.variables, "GATEHOUSE_UVICORN__PORT": str(self.port)}

    @abstractmethod
    def command_line(self, service: Service, command: Sequence[str]) -> list[str | Path]: ...

    @abstractmethod
    def terminate(self, process: subprocess.Popen[bytes]) -> None:
        """As whoever stops the service does; does not wait."""


@dataclass
class OnThisMachine(Deployment):
    def command_line(self, service: Service, command: Sequence[str]) -> list[str | Path]:
        shutil.copy(ROOT / "config.toml", self.folder)  # beside the program, as in the image
        path = f"PATH={Path(sys.executable).parent}:{os.environ['PATH']}"
        variables = [
            f"{name}={value.replace(SECRETS, str(self.secrets))}" for name, value in self.environ(service).items()
        ]
        return ["env", "--ignore-environment", f"--chdir={self.folder}", path, *variables, *command]

    def terminate(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()


@dataclass
class InTheImage(Deployment):
    image: Image = field(kw_only=True)

    def command_line(self, service: Service, command: Sequence[str]) -> list[str | Path]:
        secrets = [self.secrets / secret for secret in service.secrets]
        return self.image.command_line(command, self.environ(service), secrets)

    def terminate(self, process: subprocess.Popen[bytes]) -> None:
        os.kill(first_process(process.pid), signal.SIGTERM)
