"""A project outside of this checkout tests a module of its own with gatehouse.testing."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.slow

MODULE: Final = '''
from fastapi import APIRouter
from sqlalchemy import Column, Table, Uuid

from gatehouse.common.infrastructure.metadata import metadata
from gatehouse.common.modules import Module
from gatehouse.common.presentation.http.access import AUTHENTICATED
from gatehouse.common.presentation.http.route import UseCaseRoute

notes = Table("notes", metadata, Column("id", Uuid, primary_key=True))
router = APIRouter(prefix="/api/v1/notes", route_class=UseCaseRoute)


@router.get("/", dependencies=[AUTHENTICATED])
async def read_notes() -> list[str]:
    """Whoever is logged in reads the notes, of which there are none."""
    return []


MODULE = Module(name="notes", routers=(router,), tables={notes: "SELECT"}, migrations="acme:migrations")
'''
MIGRATION: Final = """
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table("notes", sa.Column("id", sa.Uuid(), primary_key=True))
"""
DECLARATION: Final = """
from gatehouse.testing.declaration import Call, ModuleTests
from acme.module import MODULE

TESTS = ModuleTests(
    module=MODULE,
    package="acme",
    calls=(Call(method="GET", path="/api/v1/notes/", status=200, open_to="authenticated"),),
)
"""
TEST: Final = """
import pytest
from psycopg.rows import tuple_row

from gatehouse.common.infrastructure.database_errors import DatabaseError
from gatehouse.testing.completeness import check_completeness
from gatehouse.testing.declaration import Caller
from gatehouse.testing.matrix import check_matrix
from tests.notes import TESTS


def test_nothing_is_missing(pytestconfig):
    check_completeness(TESTS, pytestconfig.rootpath)


@pytest.mark.parametrize("caller", Caller)
@pytest.mark.parametrize("call", TESTS.calls, ids=str)
async def test_who_may_call_what_on_whom(app, owner, call, caller):
    await check_matrix(app, owner, call, caller)


async def test_the_application_reads_the_table_and_no_more(database):
    assert await database.fetch_all("SELECT id FROM notes", {}, tuple_row) == []
    with pytest.raises(DatabaseError):
        await database.execute("DELETE FROM notes", {})
"""
SETTINGS: Final = {
    "pythonpath": '["."]',
    "asyncio_mode": '"auto"',
    "asyncio_default_fixture_loop_scope": '"session"',
    "asyncio_default_test_loop_scope": '"session"',
    "gatehouse_module_tests": '["tests.notes"]',
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "acme/migrations").mkdir(parents=True)
    (tmp_path / "acme/__init__.py").touch()
    (tmp_path / "acme/module.py").write_text(MODULE)
    (tmp_path / "acme/migrations/0001_create_notes.py").write_text(MIGRATION)
    (tmp_path / "tests/conftest.py").write_text('pytest_plugins = ["gatehouse.testing.plugin"]\n')
    (tmp_path / "tests/notes.py").write_text(DECLARATION)
    (tmp_path / "tests/test_notes.py").write_text(TEST)
    write_settings(tmp_path)
    return tmp_path


def write_settings(project: Path, **changed: str | None) -> None:
    settings = {name: value for name, value in {**SETTINGS, **changed}.items() if value is not None}
    lines = ["[tool.pytest.ini_options]", *(f"{name} = {value}" for name, value in settings.items())]
    (project / "pyproject.toml").write_text("\n".join(lines))


def run_tests(project: Path, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("GATEHOUSE_", "PYTEST_"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=project, env=clean | environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("options", [("-p", "no:xdist"), ("-n", "2")], ids=["alone", "with xdist"])
def test_its_tests_run_on_a_database_with_its_tables(project: Path, options: tuple[str, ...]) -> None:
    run = run_tests(project, *options)

    assert run.returncode == 0, run.stdout + run.stderr
    assert "8 passed" in run.stdout


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        (
            {"gatehouse_module_tests": '["tests.loans"]'},
            "gatehouse_module_tests names tests.loans, and there is no tests.loans.",
        ),
        (
            {"gatehouse_module_tests": '["acme"]'},
            "gatehouse_module_tests names acme, which has no `TESTS = ModuleTests(...)`.",
        ),
        (
            {"asyncio_default_test_loop_scope": None},
            'gatehouse.testing needs `asyncio_default_test_loop_scope = "session"` in the settings of pytest.',
        ),
    ],
)
def test_a_mistake_in_the_settings_is_one_line(project: Path, changed: dict[str, str | None], line: str) -> None:
    write_settings(project, **changed)

    run = run_tests(project)

    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert run.stderr.strip() == f"ERROR: {line}"


def test_a_table_that_no_module_names_is_one_line(project: Path) -> None:
    module = project / "acme/module.py"
    module.write_text(module.read_text().replace(', tables={notes: "SELECT"}, migrations="acme:migrations"', ""))

    run = run_tests(project)

    assert run.returncode == 1
    assert "No migration makes the tables ['notes']" in run.stdout
    assert "Traceback" not in run.stdout + run.stderr


def test_a_server_that_is_not_there_is_one_line(project: Path) -> None:
    run = run_tests(project, GATEHOUSE_TEST_POSTGRES_URL="postgresql://nobody@127.0.0.1:1/nothing")

    assert run.returncode == 1
    assert "No connection to the database: " in run.stdout
    assert "Traceback" not in run.stdout + run.stderr
