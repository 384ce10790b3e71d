import hashlib
import os
import re
import subprocess
import tomllib
from pathlib import Path

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
def test_the_script_that_comes_with_the_console_is_the_released_one() -> None:
    [htmx] = (ROOT / "src/gatehouse/console/presentation/static").glob("htmx-*.js")
    assert htmx.name == "htmx-4.0.1.min.js"
    digest = hashlib.sha256(htmx.read_bytes()).hexdigest()
    assert digest == "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"
    assert htmx.with_name("htmx-LICENSE.txt").exists()


@pytest.mark.promise("U1")
def test_the_image_installs_what_is_locked_and_nothing_unhashed() -> None:
    steps = re.findall(r"(pip install|uv sync)(.*)", (ROOT / "Dockerfile").read_text())
    assert {tool for tool, _ in steps} == {"pip install", "uv sync"}
    assert all(("--require-hashes" if tool == "pip install" else "--locked") in options for tool, options in steps)


@pytest.mark.promise("U1")
@pytest.mark.parametrize(
    ("report", "is_found"),
    [
        ("Found 1 known vulnerability in 1 package", True),
        ("error: the lock file is out of date", True),
        ("error sending request for url", False),
    ],
)
def test_make_check_fails_at_a_known_vulnerability_and_only_without_a_network_does_not_look(
    tmp_path: Path, report: str, *, is_found: bool
) -> None:
    uv = tmp_path / "uv"
    uv.write_text(f"#!/bin/sh\necho '{report}' >&2\nexit 1\n")
    uv.chmod(0o755)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    dry_run = ["make", "--dry-run", "check", f"UV={uv}"]
    commands = subprocess.check_output(dry_run, cwd=ROOT, env=environ, text=True).splitlines()

    [audit] = [command for command in commands if str(uv) in command and "sync" not in command]
    result = subprocess.run(["/bin/sh", "-ec", audit], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (result.returncode != 0) is is_found
    assert (report in result.stdout) is is_found
    assert is_found or result.stdout.startswith("Skipped: ")
