"""The wheel, built and installed as its user does it: by pip, in a folder that knows nothing of this checkout."""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from tests.root import ROOT
from tests.system.page import BUILD, fill_in
from tests.system.processes import free_port, run_beside

_PATH: Final = f"{sys.base_prefix}/bin:/usr/bin:/bin"
"""With the Python of the tests, and without their environment."""
_INSTALLER: Final = re.compile("PIP_.*|SSL_CERT_.*|.*_PROXY|HOME|TMPDIR", re.IGNORECASE)
"""Which variables say how pip reaches an index."""


@dataclass(frozen=True)
class Environment:
    """Commands in a folder and, under its `.venv`, of a virtual environment. They see no variable of the tests."""

    folder: Path

    def run(
        self, command: str, *, stdin: str = "", variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """In the shell."""
        return subprocess.run(
            ["sh", "-euc", command],
            cwd=self.folder,
            env=self._environ(variables),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def install(self, command: str) -> None:
        """By pip, with the versions that are locked, so that the releases of today decide nothing."""
        constraints = self.folder / "constraints.txt"
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in _locked_versions().items()))
        index = {name: value for name, value in os.environ.items() if _INSTALLER.fullmatch(name)}
        # Only what is run is compiled, when it is, which takes half of the time.
        result = self.run(command, variables={**index, "PIP_CONSTRAINT": constraints.name, "PIP_COMPILE": "0"})
        assert result.returncode == 0, result.stdout + result.stderr

    @contextmanager
    def serve(self, command: str, variables: Mapping[str, str] | None = None) -> Iterator[str]:
        """Gives back its URL, from the moment that it is ready. The command is a simple one."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        shell, log = ["sh", "-euc", f"exec {command}"], self.folder / f"{port}.log"
        environ = self._environ({**(variables or {}), "GATEHOUSE_UVICORN__PORT": str(port)})
        with run_beside(shell, lambda: _is_ready(url), log, environ=environ, cwd=self.folder):
            yield url

    def _environ(self, variables: Mapping[str, str] | None) -> dict[str, str]:
        return {"PATH": _PATH, **(variables or {})}


@contextmanager
def empty_folder() -> Iterator[Environment]:
    """It is open to the account under which root runs the embedded PostgreSQL, unlike that of pytest."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-wheel-") as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "Söhne & Töchter"
        folder.mkdir()
        yield Environment(folder)


@contextmanager
def empty_environment() -> Iterator[Environment]:
    with empty_folder() as environment:
        environment.install("python3 -m venv .venv")
        yield environment


def build_wheel(environment: Environment, source: Path = ROOT, to: str = "dist") -> Path:
    """By the environment's pip, into a folder of the environment's."""
    environment.install(fill_in(BUILD, {"pip wheel": ".venv/bin/pip wheel", "dist .": f"{to} '{source}'"}))
    [wheel] = environment.folder.glob(f"{to}/*.whl")
    return wheel


def _locked_versions() -> dict[str, str]:
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    return {package["name"]: package["version"] for package in packages if "editable" not in package["source"]}


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=10).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
