import re
import tomllib

import pytest

from tests.root import ROOT

LOCKED = tomllib.loads((ROOT / "uv.lock").read_text())["package"]


@pytest.mark.promise("U1")
def test_every_file_of_every_dependency_is_pinned_by_hash() -> None:
    files = [
        file
        for package in LOCKED
        if package["name"] != "gatehouse"
        for file in [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
    ]
    assert len(files) > len(LOCKED)
    assert all(file["hash"].startswith("sha256:") for file in files)


@pytest.mark.promise("U1")
def test_the_image_installs_what_is_locked_and_nothing_unhashed() -> None:
    steps = re.findall(r"(pip install|uv sync)(.*)", (ROOT / "Dockerfile").read_text())
    assert {tool for tool, _ in steps} == {"pip install", "uv sync"}
    assert all(("--require-hashes" if tool == "pip install" else "--locked") in options for tool, options in steps)


@pytest.mark.promise("U1")
def test_the_checks_look_for_known_vulnerabilities() -> None:
    makefile = (ROOT / "Makefile").read_text()
    check = re.search(r"^check:.*?(?=^\S)", makefile, re.MULTILINE | re.DOTALL)
    assert check
    assert "scripts/audit.sh" in check[0]
