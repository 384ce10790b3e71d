import subprocess
import sys
from contextlib import ExitStack
from subprocess import PIPE
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, create_engine, inspect
from sqlalchemy.pool import NullPool

from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.database import open_database
from gatehouse.common.infrastructure.metadata import is_partition, metadata
from gatehouse.common.infrastructure.migration_lines import migration_config
from gatehouse.common.infrastructure.migrations import migrate
from gatehouse.common.infrastructure.schema_readiness import SchemaReadiness
from gatehouse.setup.modules import MODULES
from gatehouse.testing.database import CreateDatabase

pytestmark = pytest.mark.slow

METADATA = MetaData(naming_convention=metadata.naming_convention)
"""What Gatehouse's own modules declare. A further module's tables have migrations of their own."""
for table in MODULES.tables:
    table.to_metadata(METADATA)


@pytest.fixture
def url(create_database: CreateDatabase) -> str:
    """Of an empty database."""
    return create_database("migrations", template="template0")


@pytest.fixture
def config(url: str) -> Config:
    [own] = MODULES.migration_lines
    return migration_config(url, own)


def table_names(url: str) -> set[str]:
    names = inspect(create_engine(url, poolclass=NullPool)).get_table_names()
    return {name for name in names if not is_partition(name)}


def differences(url: str) -> list[Any]:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        options = {"compare_server_default": True, "include_name": lambda name, *_: not is_partition(name or "")}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, METADATA))


def test_migrations_run_up_down_and_up_again(url: str, config: Config) -> None:
    migrate(url, MODULES.migration_lines)
    assert table_names(url) == {*METADATA.tables, "alembic_version"}

    command.downgrade(config, "base")
    assert table_names(url) == {"alembic_version"}

    migrate(url, MODULES.migration_lines)
    assert table_names(url) == {*METADATA.tables, "alembic_version"}
    assert differences(url) == []


def test_a_repeated_migration_finds_nothing_to_do(url: str) -> None:
    migrate(url, MODULES.migration_lines)
    migrate(url, MODULES.migration_lines)

    assert differences(url) == []


def test_the_migrations_make_the_tables_as_they_are_declared(url: str) -> None:
    assert differences(url) != []

    migrate(url, MODULES.migration_lines)

    assert differences(url) == []


def test_names_of_constraints_are_as_declared(url: str) -> None:
    """Which autogenerate does not compare for checks and primary keys."""
    migrate(url, MODULES.migration_lines)

    inspector = inspect(create_engine(url, poolclass=NullPool))
    for table in METADATA.tables.values():
        names = {constraint["name"] for constraint in inspector.get_check_constraints(table.name)}
        names |= {constraint["name"] for constraint in inspector.get_unique_constraints(table.name)}
        names |= {constraint["name"] for constraint in inspector.get_foreign_keys(table.name)}
        names |= {inspector.get_pk_constraint(table.name)["name"]}
        assert names == {str(constraint.name) for constraint in table.constraints}


def test_migrations_that_start_at_once_all_succeed(url: str) -> None:
    # Processes, since Alembic keeps its state in globals.
    code = f"""
from gatehouse.common.infrastructure.migrations import migrate
from gatehouse.setup.modules import MODULES
input("ready\\n")
migrate({url!r}, MODULES.migration_lines)
"""
    with ExitStack() as stack:
        processes = [
            stack.enter_context(subprocess.Popen([sys.executable, "-c", code], stdin=PIPE, stdout=PIPE, text=True))
            for _ in range(2)
        ]
        assert [process.stdout.readline() for process in processes if process.stdout] == ["ready\n"] * 2
        for process in processes:
            if process.stdin:
                process.stdin.write("go\n")
                process.stdin.flush()
        assert [process.wait(timeout=30) for process in processes] == [0, 0]

    assert differences(url) == []


async def test_readiness_tells_a_migrated_database_from_others(create_database: CreateDatabase) -> None:
    for name, template, is_ready in (("ready", None, True), ("unready", "template0", False)):
        url = create_database(name) if template is None else create_database(name, template)
        async with open_database(url, 1) as database:
            readiness = SchemaReadiness(database, MODULES.migration_lines)
            if is_ready:
                await readiness.ensure_ready()
            else:
                with pytest.raises(UnavailableError, match="gatehouse migrate"):
                    await readiness.ensure_ready()


def test_the_revisions_are_one_line(config: Config) -> None:
    script = ScriptDirectory.from_config(config)

    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1
