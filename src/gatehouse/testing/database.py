"""The schema of all modules under test, and what is in it."""

from collections.abc import Mapping
from typing import Final, Protocol

import psycopg
from dishka import AsyncContainer
from psycopg import sql

from gatehouse.audit.infrastructure.failed_attempts import FailureWriter
from gatehouse.common.infrastructure.metadata import metadata
from gatehouse.common.infrastructure.migrations import migrate
from gatehouse.testing.under_test import modules_under_test

SERVER_ROLE: Final = "gatehouse_server"
"""The database role of the server, which has what the modules grant and no more."""

type Rows = Mapping[str, list[tuple[object, ...]]]
"""Everything that is stored, table by table."""


class NoTableError(Exception):
    """One line for the author."""


class CreateDatabase(Protocol):
    """The fixture `create_database`. Makes a database for this worker alone, migrated unless told otherwise; gives back
    its URL, as its owner.
    """

    def __call__(self, name: str, template: str = ...) -> str: ...


def prepare_schema(url: str) -> None:
    """All tables by their migrations, with the rights of the server's role."""
    migrate(url, modules_under_test().migration_lines, server_role=SERVER_ROLE)
    with psycopg.connect(url) as owner:
        present = {name for (name,) in owner.execute("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')")}
    if missing := sorted(set(metadata.tables) - present):
        raise NoTableError(
            f"No migration makes the tables {missing}: write one with `gatehouse new-migration`, and name the module's "
            "folder in its `migrations`."
        )


async def empty_database(container: AsyncContainer, owner: psycopg.Connection) -> None:
    """Of a running application: what it is about to write comes first, and goes with the rest."""
    await (await container.get(FailureWriter)).flush()
    delete_rows(owner)


def delete_rows(owner: psycopg.Connection) -> None:
    """All of them. The connection is that of the database's owner."""
    names = (sql.Identifier(table.name) for table in reversed(metadata.sorted_tables))
    owner.execute(sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(name) for name in names))


def rows_of(owner: psycopg.Connection) -> Rows:
    """The connection is that of the database's owner."""
    statement = sql.SQL("SELECT * FROM {} ORDER BY 1")
    with owner.pipeline():
        cursors = {
            table.name: owner.execute(statement.format(sql.Identifier(table.name))) for table in metadata.sorted_tables
        }
        return {name: cursor.fetchall() for name, cursor in cursors.items()}


def changed_tables(before: Rows, after: Rows) -> set[str]:
    return {table for table in before if before[table] != after[table]}
