"""The example as it was with the last release, and its data, brought to this version as docs/extending.md says."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.root import ROOT
from tests.system.example import EXAMPLE, walk_of
from tests.system.wheel import Environment, build_wheel, empty_folder

LAST_RELEASE: Final = "afbd6fbed9dcc511cfc1673e5849216ec39a8918"
"""The commit that is 0.1.0."""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its files."""
    folder = tmp_path_factory.mktemp("release")
    archive = subprocess.run(["git", "archive", LAST_RELEASE], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip("the last release is not in this clone's history: git fetch --unshallow")
    subprocess.run(["tar", "--extract"], cwd=folder, input=archive.stdout, check=True)
    return folder


@pytest.fixture(scope="module")
def upgraded(environment: Environment, wheel: Path, release: Path) -> Iterator[Environment]:
    """A service that has lent an item with the release, and then got this version."""
    before = build_wheel(environment, release, "dist/before")
    with empty_folder() as service:
        shutil.copytree(release / EXAMPLE, service.folder, dirs_exist_ok=True)
        service.install(f"make .venv/.installed GATEHOUSE='{before}'")
        with service.serve("make run") as url:
            result = service.run(walk_of(release, url))
        assert result.returncode == 0, result.stderr
        raise_gatehouse(service.folder / "pyproject.toml")
        service.install(f"make .venv/.installed GATEHOUSE='{wheel}'")
        yield service


def raise_gatehouse(pyproject: Path) -> None:
    """To the range that the example has today."""
    need = re.compile('"(gatehouse>.+?)"')
    [today] = need.findall((ROOT / EXAMPLE / "pyproject.toml").read_text())
    pyproject.write_text(need.sub(f'"{today}"', pyproject.read_text()))


def test_its_data_and_its_sessions_are_still_there(upgraded: Environment) -> None:
    session = (upgraded.folder / "chief.jar").read_text().split()[-1]
    with upgraded.serve("make run") as url, httpx.Client(base_url=f"{url}/api/v1", timeout=60) as chief:
        chief.cookies.set("session", session)
        actions = [event["action"] for event in chief.get("/audit/").json()["events"]]
        again = chief.post("/items/", json={"item": "drill"})
        lent = chief.post("/loans/", json={"username": "alice", "item": "drill"})

    assert {"sign_up", "log_in", "add_item", "lend_item", "give_back_item"} < set(actions)
    assert (again.status_code, lent.status_code) == (409, 201)


def test_its_tests_and_its_types_pass_on_this_version(upgraded: Environment) -> None:
    result = upgraded.run("make test check")

    assert result.returncode == 0, result.stdout + result.stderr
