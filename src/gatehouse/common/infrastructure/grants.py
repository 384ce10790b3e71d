"""What the server's database role may do. It reads and writes rows; the owner alone changes the schema."""

from collections.abc import Mapping
from typing import Final

import psycopg
from psycopg import sql
from sqlalchemy import Connection

from gatehouse.common.infrastructure.postgres_programs import EmbeddedPostgresError

type Grants = Mapping[str, str]
"""Maps a table's name to the privileges that the server's role has on it, as `SELECT, INSERT`."""

_ALWAYS_GRANTED: Final = {"alembic_version": "SELECT"}
"""For readiness: the server reads which revision the schema has."""

# It may be there, and another process that starts at the same time may make it before this one, at any moment.
_CREATE_ROLE: Final = sql.SQL("""
    DO $$ BEGIN
        CREATE ROLE {} LOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;
    END $$
""")


def grant_to_server(connection: Connection, role: str, grants: Grants) -> None:
    """Revokes all privileges from the role and grants those that the modules declare, in the caller's transaction.

    Two at once would fail ("tuple concurrently updated"): `migrate` does it under its lock.
    """
    name = sql.Identifier(role)
    _execute(connection, sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(name))
    for table, privileges in {**grants, **_ALWAYS_GRANTED}.items():
        grant = sql.SQL("GRANT {} ON {} TO {}")
        _execute(connection, grant.format(sql.SQL(privileges), sql.Identifier(table), name))


def ensure_role(owner_url: str, role: str) -> None:
    """For the embedded server, whose roles need no password: only its owner can connect."""
    try:
        with psycopg.connect(owner_url) as connection:
            connection.execute(_CREATE_ROLE.format(sql.Identifier(role)))
    except psycopg.Error as error:
        raise EmbeddedPostgresError(f"The embedded PostgreSQL does not work: {' '.join(str(error).split())}") from None


def _execute(connection: Connection, statement: sql.Composed) -> None:
    connection.exec_driver_sql(statement.as_string())
