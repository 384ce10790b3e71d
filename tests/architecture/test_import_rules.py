"""Each import contract is broken in a copy, once for each thing that it forbids, to see that it guards something."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from gatehouse.setup.modules import MODULES
from scripts.import_contracts import listed_modules
from tests.root import ROOT

LAYERS = "Imports point inwards only"
ORDER = "A module uses only those before it in the list"
PUBLIC_NAMES = "Modules use each other by their public names"
CIRCLES = "No packages import each other in a circle"
FRAMEWORKS = "Domain and application know no framework"
COMMANDS_AND_QUERIES = "Commands and queries never import each other"
HTTP = "HTTP knows nothing of the command line"
COMMAND_LINE = "The command line knows nothing of HTTP"

BREACHES = [
    (LAYERS, "accounts/domain/user.py", "import gatehouse.accounts.application.ports"),
    (LAYERS, "accounts/presentation/background.py", "import gatehouse.accounts.infrastructure.tables"),
    (LAYERS, "accounts/presentation/http/cookie.py", "import gatehouse.accounts.settings"),
    (LAYERS, "accounts/providers.py", "import gatehouse.accounts.module"),
    (LAYERS, "accounts/__init__.py", "import gatehouse.accounts.infrastructure.tables"),
    (LAYERS, "accounts/domain/user.py", "import gatehouse.common.application.ports"),
    (LAYERS, "accounts/application/identity.py", "import gatehouse.common.modules"),
    (LAYERS, "accounts/helpers.py", "import gatehouse.accounts.domain.user"),
    (ORDER, "accounts/application/identity.py", "import gatehouse.audit"),
    (ORDER, "common/domain/text.py", "import gatehouse.accounts"),
    (ORDER, "audit/module.py", "import gatehouse.setup.logs"),
    (ORDER, "setup/logs.py", "import gatehouse.migrations.env"),
    (ORDER, "unlisted/domain/thing.py", "import gatehouse.common.domain.text"),
    (PUBLIC_NAMES, "audit/application/queries/list_audit_events.py", "import gatehouse.accounts.domain.role"),
    (PUBLIC_NAMES, "audit/module.py", "import gatehouse.accounts.module"),
    (PUBLIC_NAMES, "setup/logs.py", "import gatehouse.accounts.settings"),
    (CIRCLES, "accounts/domain/role.py", "import gatehouse.accounts.domain.authorization"),
    (FRAMEWORKS, "accounts/application/identity.py", "import fastapi"),
    (
        COMMANDS_AND_QUERIES,
        "accounts/application/commands/log_out.py",
        "import gatehouse.accounts.application.queries.get_me",
    ),
    (HTTP, "common/presentation/http/route.py", "import gatehouse.common.presentation.cli.run_use_case"),
    (COMMAND_LINE, "accounts/presentation/cli/super_admins.py", "import gatehouse.common.presentation.http.route"),
]


def lint_imports(folder: Path) -> str:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    # The copy comes first on the path, so it is the one that is read.
    environment = {"PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "500"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False).stdout


def broken_in(report: str) -> set[str]:
    return {line.removesuffix(" BROKEN") for line in report.splitlines() if line.endswith(" BROKEN")}


def make_package(folder: Path) -> None:
    if not (folder / "__init__.py").exists():
        make_package(folder.parent)
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").touch()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for folder in ("src", "scripts"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_all_contracts_are_kept_and_none_is_missing_here(copy: Path) -> None:
    contracts = tomllib.loads((copy / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

    assert {contract["name"] for contract in contracts} == {contract for contract, _, _ in BREACHES}
    assert f"Contracts: {len(contracts)} kept, 0 broken." in lint_imports(copy)


@pytest.mark.parametrize(("contract", "file", "statement"), BREACHES)
def test_a_breach_is_noticed(contract: str, file: str, statement: str, copy: Path) -> None:
    path = copy / "src/gatehouse" / file
    make_package(path.parent)
    path.write_text(f"{statement}\n{path.read_text() if path.exists() else ''}")

    report = lint_imports(copy)
    assert contract in broken_in(report), report


def test_the_order_of_modules_is_that_of_the_list(copy: Path) -> None:
    path = copy / "src/gatehouse/setup/modules.py"
    listed = path.read_text()
    path.write_text(listed.replace("ACCOUNTS, AUDIT", "AUDIT, ACCOUNTS"))

    assert path.read_text() != listed
    assert broken_in(lint_imports(copy)) == {ORDER}


def test_the_list_is_read_as_python_reads_it() -> None:
    assert listed_modules() == [module.name for module in MODULES]
