"""The units in deploy/systemd: systemd understands them, and the service works within what they allow."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gatehouse.common.settings import UvicornSettings
from tests.system.compose import write_address
from tests.system.debian_postgres import DebianPostgres
from tests.system.deployment import OnThisMachine
from tests.system.page import FOLDER as PAGES
from tests.system.page import fill_in, snippet
from tests.system.service import SECRETS, Service
from tests.system.systemd import FOLDER, PREFIX, allowed_calls, in_sandbox, read_service, read_unit

SERVER = read_service("gatehouse.service")
MIGRATE = read_service("gatehouse-migrate.service")
SERVICES = pytest.mark.parametrize("service", [SERVER, MIGRATE], ids=lambda service: service.name)
PAGE = PAGES / "systemd.md"
MOST_EXPOSURE = 20
"""Of 100. What is left is what any service has that speaks over the network."""
HANGING_SECONDS = 4
"""docs/operations.md, "Stopping"."""


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The program that they start is that of this environment."""
    for unit in FOLDER.iterdir():
        (tmp_path / unit.name).write_text(unit.read_text().replace(PREFIX, f"{Path(sys.executable).parent}/"))
    return tmp_path


def analyze(*arguments: str | Path) -> str:
    result = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def test_systemd_has_nothing_to_say_about_them(units: Path) -> None:
    assert analyze("verify", "--man=no", *sorted(units.glob("gatehouse*.*"))) == ""


@SERVICES
def test_systemd_calls_them_well_confined(units: Path, service: Service) -> None:
    analyze("security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSURE}", units / service.name)


@SERVICES
def test_each_credential_is_named_by_a_variable(service: Service) -> None:
    assert service.secrets_of_variables == set(service.secrets)
    loaded = read_unit(service.name)["LoadCredential"]
    assert loaded == [f"{secret}:/etc/gatehouse/secrets/{secret}" for secret in service.secrets]


def test_both_are_confined_alike() -> None:
    server, migrate = read_unit(SERVER.name), read_unit(MIGRATE.name)
    hardening = [
        key for key in server if re.match("Protect|Private|Restrict|System|Dynamic|NoNew|Lock|Memory.*Exec", key)
    ]
    assert len(hardening) > 15
    assert {key: server[key] for key in hardening} == {key: migrate[key] for key in hardening}


def test_by_hand_the_commands_have_the_configuration_of_the_service(tmp_path: Path, secrets: Path) -> None:
    script = (FOLDER / "gatehouse").read_text()
    exported = dict(re.findall(r"^export (\w+)=(.*)$", script, re.MULTILINE))
    named = {name: value.replace("/etc/gatehouse/secrets", SECRETS) for name, value in exported.items()}
    assert named.items() <= SERVER.environment.items()
    assert set(SERVER.environment) - set(named) == {"GATEHOUSE_LOGS__FORMAT"}
    (tmp_path / "config.toml").write_text(snippet("toml", "[app]", PAGE))
    paths = {"/etc/gatehouse/secrets": secrets, "/etc/gatehouse": tmp_path, PREFIX: f"{Path(sys.executable).parent}/"}

    command = ["sh", "-c", fill_in(script, paths), "gatehouse", "config", "check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stderr
    assert "https://accounts.example.com" in result.stdout


def test_what_it_installs_is_there() -> None:
    names = {path.name for path in FOLDER.iterdir()}
    assert names == {"gatehouse", "gatehouse.service", "gatehouse-migrate.service", "gatehouse-migrate.timer"}
    made = re.findall(r"> /etc/gatehouse/secrets/(\w+)$", PAGE.read_text(), re.MULTILINE)
    assert set(made) == set(MIGRATE.secrets) - {"postgres_url", "postgres_owner_url"}
    assert all(f"`{secret}`" in PAGE.read_text() for secret in MIGRATE.secrets)


def test_it_may_take_the_time_to_stop_that_it_grants_itself() -> None:
    [seconds] = read_unit(SERVER.name)["TimeoutStopSec"]
    assert int(seconds) > UvicornSettings().drain_seconds + UvicornSettings().grace_seconds + HANGING_SECONDS


def test_a_forbidden_call_fails_in_the_sandbox() -> None:
    assert not {"mount", "reboot", "setpriority", "chown"} & allowed_calls(SERVER.name)
    ask = replace(SERVER, command=["python", "-c", "import os; os.setpriority(os.PRIO_PROCESS, 0, 1)"])
    result = subprocess.run(in_sandbox(ask), capture_output=True, text=True, check=False)
    assert "PermissionError" in result.stderr


def test_it_migrates_serves_and_stops_within_what_they_allow(
    on_this_machine: OnThisMachine, secrets: Path, postgres: DebianPostgres
) -> None:
    for secret in ("postgres_url", "postgres_owner_url"):
        write_address(secrets / secret, postgres.port)
    # What /etc/gatehouse/config.toml would say.
    on_this_machine.variables = {
        "GATEHOUSE_APP__ORIGIN": "https://localhost",
        "GATEHOUSE_UVICORN__TRUSTED_PROXIES": "127.0.0.1",
        "GATEHOUSE_UVICORN__WORKERS": "2",
    }
    server, migrate = (replace(service, command=in_sandbox(service)) for service in (SERVER, MIGRATE))

    on_this_machine.prepare(migrate, server)
    with on_this_machine.serve(server) as process:
        assert on_this_machine.status("/readyz") == 200
        assert on_this_machine.log_in().status_code == 204
        on_this_machine.terminate(process)
        assert process.wait(timeout=20) == 0
    assert "PermissionError" not in on_this_machine.log.read_text()
