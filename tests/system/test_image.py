"""What the image is, whatever it is started with."""

import json
import re
import shutil
import tomllib

import pytest

from tests.root import ROOT
from tests.system.image import Image

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_its_labels_say_what_it_is(image: Image) -> None:
    labels = image.config["Labels"]
    assert labels["org.opencontainers.image.title"] == PROJECT["name"]
    assert labels["org.opencontainers.image.version"] == PROJECT["version"]
    assert labels["org.opencontainers.image.licenses"] == PROJECT["license"]
    assert labels["org.opencontainers.image.description"] == PROJECT["description"]
    base = labels["org.opencontainers.image.base.name"].removeprefix("docker.io/library/")
    assert f"\nFROM {base}\n" in (ROOT / "Dockerfile").read_text()


def test_its_bill_of_materials_lists_what_is_installed(image: Image) -> None:
    sbom = json.loads((image.root / image.config["Labels"]["gatehouse.sbom"].lstrip("/")).read_text())
    listed = {part["name"]: part["version"] for part in sbom["components"]}
    listed[sbom["metadata"]["component"]["name"]] = sbom["metadata"]["component"]["version"]
    ask = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
    found = json.loads(image.run("python", "-c", ask).stdout)
    installed = {re.sub("[-_.]+", "-", name).lower(): version for name, version in found.items()}

    assert sbom["bomFormat"] == "CycloneDX"
    assert len(installed) > 20
    assert installed.items() <= listed.items()
    assert {"pytest", "mypy"}.isdisjoint(listed)


def test_it_runs_as_a_user_who_is_not_root_and_owns_nothing(image: Image) -> None:
    assert image.config["User"] == "10001:10001"
    assert image.run("id", "-u").stdout.strip() == "10001"
    changeable = [
        path
        for path in [image.root / "app", *(image.root / "app").rglob("*")]
        if not path.is_symlink() and (path.stat().st_uid != 0 or path.stat().st_mode & 0o022)
    ]
    assert changeable == []


def test_every_module_comes_compiled_since_nothing_is_written_later(image: Image) -> None:
    lines = image.run("python", "-v", "-c", "import gatehouse.setup.cli").stderr.splitlines()
    loaded = [line for line in lines if line.startswith("# code object from ")]
    assert len(loaded) > 100
    assert [line for line in loaded if not line.endswith(".pyc'")] == []


@pytest.mark.promise("K5")
def test_it_is_production_until_told_otherwise(image: Image) -> None:
    result = image.run()

    assert result.returncode == 1
    assert result.stderr == "gatehouse: postgres.url: production needs a PostgreSQL of its own, not the embedded one.\n"


@pytest.mark.parametrize("tool", ["cc", "gcc", "make", "pip", "uv"])
def test_nothing_in_it_builds_or_installs(image: Image, tool: str) -> None:
    path = ":".join(f"{image.root}{folder}" for folder in ("/app/.venv/bin", "/usr/local/bin", "/usr/bin"))
    assert shutil.which(tool, path=path) is None
    assert image.run("python", "-m", tool).returncode != 0


def test_no_package_comes_into_it_by_way_of_python(image: Image) -> None:
    assert "No module named ensurepip" in image.run("python", "-m", "ensurepip").stderr


def test_its_health_check_fails_where_nothing_answers(image: Image) -> None:
    kind, *command = image.config["Healthcheck"]["Test"]
    assert kind == "CMD"
    assert image.run(*command).returncode != 0
