"""docker-compose.yaml as the tests use it: the same commands, variables and secrets, without compose."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import yaml

from tests.root import ROOT
from tests.system.service import SECRETS, Service

COMPOSE: Final = yaml.safe_load(
    re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (ROOT / "docker-compose.yaml").read_text())  # nothing is set, so the defaults
)


def _service(name: str) -> Service:
    declared = COMPOSE["services"][name]
    return Service(name, declared["command"], declared["environment"], declared["secrets"])


MIGRATE: Final = _service("migrate")
API: Final = _service("api")


def health_check() -> list[str]:
    kind, *command = COMPOSE["services"]["api"]["healthcheck"]["test"]
    assert kind == "CMD"
    return [str(word) for word in command]


def make_secrets(folder: Path) -> Path:
    """As `make up` does it; gives back the folder that they are in."""
    (folder / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/make_secrets.sh", folder / "scripts")
    subprocess.run([folder / "scripts/make_secrets.sh"], check=True, capture_output=True)
    return folder / "secrets"


def create_server_role(user: str, password: str, port: int, secrets: Path) -> None:
    """As the image of PostgreSQL does it, once it has set up a new database."""
    script = (ROOT / "scripts/create_server_role.sh").read_text().replace(SECRETS, str(secrets))
    environ = {
        **os.environ,
        "POSTGRES_USER": user,
        "POSTGRES_DB": user,
        "PGHOST": "127.0.0.1",
        "PGPORT": str(port),
        "PGPASSWORD": password,
    }
    subprocess.run(["sh", "-c", script], env=environ, check=True, capture_output=True)


def write_address(secret: Path, port: int, *, instead_of: str = "postgres:5432") -> None:
    """In a URL, where another one stands: that of compose's own PostgreSQL."""
    url = secret.read_text()
    assert f"@{instead_of}/" in url
    secret.write_text(url.replace(f"@{instead_of}/", f"@127.0.0.1:{port}/"))
