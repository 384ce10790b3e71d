"""The schema of all modules under test, and what is in it."""

from collections.abc import Mapping
from typing import Final

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from gatehouse.common.infrastructure.grants import grant_to_server
from gatehouse.common.infrastructure.metadata import metadata
from gatehouse.common.infrastructure.migrations import migrate, migration_config
from tests.modules import TESTED
from tests.sample.module import BADGES

SERVER_ROLE: Final = "gatehouse_server"

type Rows = Mapping[str, list[tuple[object, ...]]]


def prepare_schema(url: str) -> None:
    """Gatehouse's own tables by its migrations, the sample's by its definition, and the rights of the server's role."""
    migrate(migration_config(url))
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    metadata.create_all(engine, tables=list(BADGES.tables))
    with psycopg.connect(url) as owner:
        present = {name for (name,) in owner.execute("SELECT relname FROM pg_class WHERE relkind = 'r'")}
    if missing := sorted(set(metadata.tables) - present):
        pytest.exit(f'No migration makes the tables {missing}: run `make migration m="add ..."`.', 1)
    with engine.begin() as connection:
        grant_to_server(connection, SERVER_ROLE, TESTED.grants)


def delete_rows(owner: psycopg.Connection) -> None:
    names = (sql.Identifier(table.name) for table in reversed(metadata.sorted_tables))
    owner.execute(sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(name) for name in names))


def rows_of(owner: psycopg.Connection) -> Rows:
    """Everything that is stored, table by table."""
    statement = sql.SQL("SELECT * FROM {} ORDER BY 1")
    with owner.pipeline():
        cursors = {
            table.name: owner.execute(statement.format(sql.Identifier(table.name))) for table in metadata.sorted_tables
        }
        return {name: cursor.fetchall() for name, cursor in cursors.items()}
