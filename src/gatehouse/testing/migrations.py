"""A module's line of migrations makes the tables that the module declares.

For a module of one's own:

    def test_the_migrations_make_the_tables(create_database: CreateDatabase) -> None:
        check_migrations(TESTS, create_database)
"""

import psycopg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, create_engine
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.pool import NullPool

from gatehouse.common.infrastructure.metadata import metadata
from gatehouse.common.infrastructure.migration_lines import MigrationLine, migration_config
from gatehouse.common.infrastructure.migrations import migrate
from gatehouse.testing.database import CreateDatabase
from gatehouse.testing.declaration import ModuleTests
from gatehouse.testing.under_test import modules_under_test


def check_migrations(tests: ModuleTests, create_database: CreateDatabase) -> None:
    """They run up, down and up again, and leave nothing between what they made and what the module declares: no table,
    column, index or constraint more or less.
    """
    lines = modules_under_test().migration_lines
    [line] = [line for line in lines if line.name == tests.module.name]
    url = create_database("migrations")

    command.downgrade(migration_config(url, line), "base")
    before = _tables(url)
    assert sorted(before & line.grants.keys()) == [], "downgrade leaves tables"

    migrate(url, lines)
    made = _tables(url) - before - {line.version_table}
    declared = {table.name for table in tests.module.tables}
    assert sorted(made - declared) == [], "the migrations make tables that the module does not declare"
    assert _differences(url, line) == [], "write a migration with `gatehouse new-migration`"
    assert _rules_in(url, line) == _rules_of(line), "checks and exclusions differ: write a migration"


def _tables(url: str) -> set[str]:
    with psycopg.connect(url) as owner:
        return {
            name for (name,) in owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        }


def _rules_of(line: MigrationLine) -> set[str]:
    """The names of what alembic does not compare."""
    tables = [metadata.tables[name] for name in line.grants]
    kinds = CheckConstraint | ExcludeConstraint
    return {str(rule.name) for table in tables for rule in table.constraints if isinstance(rule, kinds)}


def _rules_in(url: str, line: MigrationLine) -> set[str]:
    with psycopg.connect(url) as owner:
        found = owner.execute(
            "SELECT conname FROM pg_constraint WHERE contype IN ('c', 'x') AND conrelid = ANY(%s::regclass[])",
            [list(line.grants)],
        )
        return {name for (name,) in found}


def _differences(url: str, line: MigrationLine) -> list[object]:
    def is_compared(_: object, name: str | None, kind: str, *__: object) -> bool:
        return kind != "table" or name in line.grants

    with create_engine(url, poolclass=NullPool).connect() as connection:
        options = {"include_object": is_compared, "compare_server_default": True}
        differences: list[object] = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    return differences
