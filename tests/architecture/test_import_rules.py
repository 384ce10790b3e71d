"""Each import contract is broken once, in a copy, to see that it guards something."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.root import ROOT

BREACHES = {
    "Imports point inwards only": ("accounts/domain/user.py", "import gatehouse.accounts.application.ports"),
    "Domain and application know no framework": ("accounts/application/identity.py", "import fastapi"),
    "Commands and queries never import each other": (
        "accounts/application/commands/log_out.py",
        "import gatehouse.accounts.application.queries.get_me",
    ),
    "HTTP and command line know nothing of each other": (
        "accounts/presentation/cli/super_admins.py",
        "import gatehouse.accounts.presentation.http.cookie",
    ),
}


def lint_imports(folder: Path) -> str:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    # The copy comes first on the path, so it is the one that is read.
    environment = {"PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False).stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "src", tmp_path / "src")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_all_contracts_are_kept_and_none_is_missing_here(copy: Path) -> None:
    report = lint_imports(copy)
    assert f"Contracts: {len(BREACHES)} kept, 0 broken." in report


@pytest.mark.parametrize("contract", BREACHES)
def test_a_breach_is_noticed(contract: str, copy: Path) -> None:
    module, statement = BREACHES[contract]
    path = copy / "src/gatehouse" / module
    path.write_text(f"{statement}\n{path.read_text()}")

    assert f"{contract} BROKEN" in lint_imports(copy)
