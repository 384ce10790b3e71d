"""The units in deploy/systemd, and what can be tried of them without systemd as the first process."""

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.root import ROOT
from tests.system.service import SECRETS, Service

FOLDER: Final = ROOT / "deploy/systemd"
PREFIX: Final = "/opt/gatehouse/.venv/bin/"
_SANDBOX: Final = Path(__file__).with_name("sandbox.py")


def read_unit(name: str) -> Mapping[str, list[str]]:
    """Each key with its values, in order. A value that is empty resets the list."""
    values: dict[str, list[str]] = defaultdict(list)
    for key, value in re.findall(r"^(\w+)=(.*)$", (FOLDER / name).read_text(), re.MULTILINE):
        values[key].append(value)
    return values


def read_service(name: str) -> Service:
    unit = read_unit(name)
    environment = dict(assignment.split("=", 1) for assignment in unit["Environment"])
    [command] = unit["ExecStart"]
    assert command.startswith(PREFIX)
    return Service(
        name,
        command.removeprefix(PREFIX).split(),
        {variable: value.replace("%d", SECRETS) for variable, value in environment.items()},
        [credential.partition(":")[0] for credential in unit["LoadCredential"]],
    )


def in_sandbox(service: Service) -> list[str]:
    """Its command under the filter of system calls of its unit, without capabilities and without new privileges."""
    return [sys.executable, str(_SANDBOX), *sorted(allowed_calls(service.name)), "--", *service.command]


def allowed_calls(unit: str) -> set[str]:
    sets = _sets_of_calls()
    allowed: set[str] = set()
    for line in read_unit(unit)["SystemCallFilter"]:
        names = set[str]().union(*(_expand(sets, name) for name in line.removeprefix("~").split()))
        allowed = allowed - names if line.startswith("~") else allowed | names
    return allowed


def _expand(sets: Mapping[str, list[str]], name: str) -> set[str]:
    return set[str]().union(*(_expand(sets, part) for part in sets[name])) if name.startswith("@") else {name}


def _sets_of_calls() -> Mapping[str, list[str]]:
    command = ["systemd-analyze", "syscall-filter", "--no-pager"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    blocks = re.findall(r"^(@[\w-]+)\n((?:    .*\n)+)", text, re.MULTILINE)
    return {name: re.findall(r"^    ([@\w-]+)$", block, re.MULTILINE) for name, block in blocks}
