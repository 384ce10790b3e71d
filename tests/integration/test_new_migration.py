"""`make migration` writes the difference between the tables and the migrations."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gatehouse.testing.database import CreateDatabase
from tests.root import ROOT

pytestmark = pytest.mark.slow


def test_a_new_column_becomes_a_migration_of_the_next_number(create_database: CreateDatabase, tmp_path: Path) -> None:
    for name in ("src", "scripts"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("alembic.ini", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    tables = tmp_path / "src/gatehouse/accounts/infrastructure/tables.py"
    username = '    Column("username"'
    tables.write_text(tables.read_text().replace(username, f'    Column("shoe_size", Text()),\n{username}', 1))
    versions = tmp_path / "src/gatehouse/migrations/versions"
    before = set(versions.glob("*.py"))

    url = create_database("new_migration", template="template0")
    environ = os.environ | {
        "PYTHONPATH": str(tmp_path / "src"),
        "GATEHOUSE_APP__ENVIRONMENT": "test",
        "GATEHOUSE_POSTGRES__URL": url,
    }
    subprocess.run([sys.executable, "scripts/new_migration.py", "add shoe size"], cwd=tmp_path, env=environ, check=True)

    [written] = set(versions.glob("*.py")) - before
    assert written.name == f"{len(before) + 1:04}_add_shoe_size.py"
    text = written.read_text()
    assert f'down_revision = "{len(before):04}"' in text
    assert "op.add_column('users', sa.Column('shoe_size', sa.Text(), nullable=True))" in text.replace('"', "'")
    assert "op.drop_column('users', 'shoe_size')" in text.replace('"', "'")
    assert text.count("    op.") == 2
