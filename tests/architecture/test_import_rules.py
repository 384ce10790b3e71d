"""Each import contract is broken in a copy, once for each thing that it forbids, to see that it guards something."""

import shutil
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from importlinter import configuration
from importlinter.application import use_cases

from gatehouse.setup.modules import MODULES
from scripts import import_contracts
from scripts.import_contracts import PACKAGE, listed_modules
from tests.root import ROOT

LAYERS = "Imports point inwards only"
ORDER = "A module uses only those before it in the list"
PUBLIC_NAMES = "Modules use each other by their public names"
CIRCLES = "No packages import each other in a circle"
FRAMEWORKS = "Domain and application know no framework"
COMMANDS_AND_QUERIES = "Commands and queries never import each other"
HTTP = "HTTP knows nothing of the command line"
COMMAND_LINE = "The command line knows nothing of HTTP"
PYTEST = "Only the helpers of tests know pytest"

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
    (ORDER, "setup/logs.py", "import gatehouse.testing.fakes"),
    (ORDER, "accounts/providers.py", "import gatehouse.testing.accounts.fakes"),
    (ORDER, "unlisted/domain/thing.py", "import gatehouse.common.domain.text"),
    (PUBLIC_NAMES, "audit/application/queries/list_audit_events.py", "import gatehouse.accounts.domain.role"),
    (PUBLIC_NAMES, "audit/module.py", "import gatehouse.accounts.module"),
    (PUBLIC_NAMES, "setup/logs.py", "import gatehouse.accounts.settings"),
    (CIRCLES, "accounts/domain/role.py", "import gatehouse.accounts.domain.authorization"),
    (FRAMEWORKS, "accounts/application/identity.py", "import fastapi"),
    (FRAMEWORKS, "common/application/metrics.py", "import prometheus_client"),
    (
        COMMANDS_AND_QUERIES,
        "accounts/application/commands/log_out.py",
        "import gatehouse.accounts.application.queries.get_me",
    ),
    (HTTP, "common/presentation/http/route.py", "import gatehouse.common.presentation.cli.run_use_case"),
    (PYTEST, "setup/logs.py", "import pytest"),
    (PYTEST, "common/infrastructure/grants.py", "import httpx"),
    (COMMAND_LINE, "accounts/presentation/cli/super_admins.py", "import gatehouse.common.presentation.http.route"),
]


def lint_imports(copy: Path) -> str:
    """What the command of this name reports. It runs in this process, for starting one takes longer than the rest."""
    configuration.configure()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as report:
        patch.chdir(copy)
        patch.syspath_prepend(copy / "src")
        patch.delitem(sys.modules, PACKAGE)  # it would be taken for the place where the package is
        patch.setattr(import_contracts, "LIST", copy / "src/gatehouse/setup/modules.py")
        use_cases.lint_imports(cache_dir=None)
    return report.getvalue()


def broken_in(report: str) -> set[str]:
    return {line.partition(" BROKEN")[0] for line in report.splitlines() if " BROKEN" in line}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, with room for a module that nobody lists."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for package in (folder / "src/gatehouse/unlisted", folder / "src/gatehouse/unlisted/domain"):
        package.mkdir()
        (package / "__init__.py").touch()
    return folder


@contextmanager
def written(path: Path, text: str) -> Iterator[None]:
    """Until the end of the block."""
    before = path.read_text() if path.exists() else None
    path.write_text(text)
    try:
        yield
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before)


def test_all_contracts_are_kept_and_none_is_missing_here(copy: Path) -> None:
    contracts = tomllib.loads((copy / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

    assert {contract["name"] for contract in contracts} == {contract for contract, _, _ in BREACHES}
    assert f"Contracts: {len(contracts)} kept, 0 broken." in lint_imports(copy)


@pytest.mark.parametrize(("contract", "file", "statement"), BREACHES)
def test_a_breach_is_noticed(contract: str, file: str, statement: str, copy: Path) -> None:
    path = copy / "src/gatehouse" / file

    with written(path, f"{statement}\n{path.read_text() if path.exists() else ''}"):
        report = lint_imports(copy)

    assert contract in broken_in(report), report


def test_the_order_of_modules_is_that_of_the_list(copy: Path) -> None:
    path = copy / "src/gatehouse/setup/modules.py"
    listed = path.read_text()
    exchanged = listed.replace("ACCOUNTS, AUDIT", "AUDIT, ACCOUNTS")

    with written(path, exchanged):
        report = lint_imports(copy)

    assert exchanged != listed
    assert broken_in(report) == {ORDER}


def test_the_list_is_read_as_python_reads_it() -> None:
    assert listed_modules() == [module.name for module in MODULES]
