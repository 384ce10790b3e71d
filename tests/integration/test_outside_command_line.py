"""Real `gatehouse` processes, with modules from outside."""

import os
import re
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg
import pytest

from gatehouse.testing.database import CreateDatabase
from tests.integration.command_line import RunResult
from tests.outside import write_package
from tests.root import ROOT
from tests.server_process import GATEHOUSE, ServerProcess

pytestmark = pytest.mark.slow

SAMPLE = {"GATEHOUSE_APP__MODULES": "tests.sample", "PYTHONPATH": str(ROOT)}
WITH_COMMAND = """
import typer

from gatehouse.accounts import Users
from gatehouse.common.application.ports import Transaction
from gatehouse.common.application.use_case import query
from gatehouse.common.modules import Module


@query
class CountLoans:
    users: Users
    transaction: Transaction

    async def __call__(self) -> int:
        async with self.transaction:
            return 3


def register(cli, run):
    @cli.command()
    def count_loans() -> None:
        \"\"\"Say how many loans there are.\"\"\"
        typer.echo(f"{run(CountLoans, lambda count: count())} loans")


MODULE = Module(name="loans", queries=(CountLoans,), cli=(register,))
"""

type Gatehouse = Callable[..., RunResult]


@pytest.fixture
def gatehouse(tmp_path: Path, create_database: CreateDatabase) -> Gatehouse:
    """Started in a folder of its own, in which packages are found that a test writes."""
    url = create_database("outside_command_line")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GATEHOUSE_")}
    environ |= {"PYTHONPATH": str(tmp_path), "GATEHOUSE_APP__ENVIRONMENT": "test", "GATEHOUSE_POSTGRES__URL": url}

    def run(*arguments: str, **more: str) -> RunResult:
        done = subprocess.run(
            [GATEHOUSE, *arguments],
            cwd=tmp_path,
            env=environ | {"COLUMNS": "200"} | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert "Traceback" not in done.stderr
        return RunResult(done.returncode, done.stdout, done.stderr)

    return run


@pytest.mark.parametrize("named_by", ["the folder", "an option", "a variable"])
def test_its_commands_are_there_wherever_the_configuration_stands(
    gatehouse: Gatehouse, tmp_path: Path, named_by: str
) -> None:
    write_package(tmp_path, module=WITH_COMMAND)
    file = tmp_path / ("config.toml" if named_by == "the folder" else "other.toml")
    file.write_text('[app]\nmodules = ["acme.loans"]\n')
    options = ("--config", "other.toml") if named_by == "an option" else ()
    environ = {"GATEHOUSE_CONFIG": "other.toml"} if named_by == "a variable" else {}

    assert "Say how many loans there are." in gatehouse(*options, "--help", **environ).out
    assert gatehouse(*options, "count-loans", **environ) == (0, "3 loans\n", "")
    assert gatehouse("count-loans", GATEHOUSE_CONFIG="/dev/null").code == 2


BROKEN = {
    "a module that is not there": (
        '[app]\nmodules = ["acme.nowhere"]',
        "app.modules: there is no package acme.nowhere: install it, or correct the name.",
    ),
    "a module that is broken": (
        '[app]\nmodules = ["acme.broken"]',
        "app.modules: acme.broken cannot be imported: {folder}/acme/broken/module.py, line 1: ZeroDivisionError: ",
    ),
    "no TOML": ("[app", "{folder}/config.toml: is not valid TOML: "),
}


@pytest.mark.parametrize("mistake", BROKEN)
def test_help_is_there_where_the_configuration_is_broken_and_all_else_is_one_line(
    gatehouse: Gatehouse, tmp_path: Path, mistake: str
) -> None:
    toml, expected = BROKEN[mistake]
    (tmp_path / "config.toml").write_text(toml)
    write_package(tmp_path, "acme.broken", module="1 / 0")
    expected = f"gatehouse: {expected.format(folder=tmp_path)}"

    code, out, err = gatehouse("--help")
    assert (code, len(err.splitlines())) == (0, 1)
    assert err.startswith(expected)
    for command in ("serve", "migrate", "config", "create-super-admin", "new-migration"):
        assert command in out
    for arguments in (("config", "check"), ("count-loans",)):
        code, out, err = gatehouse(*arguments)
        assert (code, out, len(err.splitlines())) == (1, "", 1)
        assert err.startswith(expected)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_module_that_lacks_a_provider_or_a_migration_is_one_line_before_anything_is_served(
    gatehouse: Gatehouse, tmp_path: Path, workers: str
) -> None:
    write_package(tmp_path, module=WITH_COMMAND.replace("users: Users", "users: int"))
    write_package(tmp_path, "acme.empty", module=EMPTY)

    environ = {"GATEHOUSE_UVICORN__WORKERS": workers, "GATEHOUSE_UVICORN__PORT": "0"}
    lacking = gatehouse("serve", GATEHOUSE_APP__MODULES="acme.loans", **environ)
    empty = gatehouse("serve", GATEHOUSE_APP__MODULES="acme.empty", **environ)

    assert lacking == (1, "", "gatehouse: app.modules: nothing provides int, which CountLoans needs.\n")
    assert gatehouse("config", "check", GATEHOUSE_APP__MODULES="acme.loans") == lacking
    assert (empty.code, len(empty.err.splitlines())) == (1, 1)
    assert empty.err.startswith("gatehouse: app.modules: items: there is no folder acme.empty:migrations, ")
    migrated = gatehouse("migrate", GATEHOUSE_APP__MODULES="acme.empty")
    assert (migrated.code, migrated.err) == (1, empty.err.replace("app.modules: ", ""))


EMPTY = """
from sqlalchemy import Column, Table, Text, Uuid

from gatehouse.common.infrastructure.metadata import metadata
from gatehouse.common.modules import Module

items = Table("items", metadata, Column("id", Uuid, primary_key=True))
MODULE = Module(name="items", tables={items: "SELECT"}, migrations="acme.empty:migrations")
"""


def test_migrate_and_serve_take_the_module_along(
    create_database: CreateDatabase, processes: ExitStack, tmp_path: Path
) -> None:
    url = create_database("outside_served", template="template0")
    server = ServerProcess(tmp_path, processes, 2, waits=True, **SAMPLE, GATEHOUSE_POSTGRES__URL=url)
    assert server.status("/readyz") == 503

    subprocess.run([GATEHOUSE, "migrate"], env=os.environ | server.environ, cwd=tmp_path, check=True)

    assert server.status("/readyz") == 200
    assert server.status("/api/v1/badges/") == 401
    assert "/api/v1/badges/" in httpx.get(f"{server.url}/openapi.json").json()["paths"]
    with psycopg.connect(url) as owner:
        assert owner.execute("SELECT version_num FROM alembic_version_badges").fetchall() == [("0001",)]
    server.process.terminate()
    server.end()


def number_anew(migration: Path, number: str) -> None:
    text = migration.read_text().replace(migration.name[:4], number)
    migration.unlink()
    migration.with_name(f"{number}{migration.name[4:]}").write_text(text)


def test_a_new_migration_is_what_the_module_s_own_tables_lack(gatehouse: Gatehouse, tmp_path: Path) -> None:
    modules = {"GATEHOUSE_APP__MODULES": "acme.empty,tests.sample", "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    write_package(tmp_path, "acme.empty", module=EMPTY)
    folder = tmp_path / "acme/empty/migrations"

    first = gatehouse("new-migration", "items", "create items", **modules)
    number_anew(folder / "0001_create_items.py", "0003")  # what came before it was left out
    write_package(
        tmp_path, "acme.empty", module=EMPTY.replace("primary_key=True", 'primary_key=True), Column("name", Text')
    )
    second = gatehouse("new-migration", "items", "add a name", **modules)

    assert first == (0, f"Wrote {folder}/0001_create_items.py: read it, and shorten it.\n", "")
    assert second == (0, f"Wrote {folder}/0004_add_a_name.py: read it, and shorten it.\n", "")
    texts = [path.read_text() for path in sorted(folder.glob("*.py"))]
    statements = [re.findall(r"^    (op\.\w+)", text, re.MULTILINE) for text in texts]
    assert statements == [["op.create_table", "op.drop_table"], ["op.add_column", "op.drop_column"]]
    assert 'down_revision = "0003"' in texts[1].replace("'", '"')
    assert gatehouse("migrate", **modules) == (0, "The database schema is the newest.\n", "")
    for name in ("loans", "gatehouse"):
        refused = gatehouse("new-migration", name, "create loans", **modules)
        assert (refused.code, len(refused.err.splitlines())) == (1, 1)
