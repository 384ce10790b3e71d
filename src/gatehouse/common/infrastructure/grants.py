"""What the server's database role may do. It reads and writes rows; the owner alone changes the schema."""

from collections.abc import Mapping, Sequence
from typing import Final

import psycopg
from psycopg import sql
from sqlalchemy import Connection

from gatehouse.common.infrastructure.postgres_programs import EmbeddedPostgresError

type Grants = Mapping[str, str]
"""Maps a table's name to the privileges that the server's role has on it, as `SELECT, INSERT`."""

# It may be there, and another process that starts at the same time may make it before this one, at any moment.
_CREATE_ROLE: Final = sql.SQL("""
    DO $$ BEGIN
        CREATE ROLE {} LOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;
    END $$
""")


def grant_to_server(connection: Connection, role: str, grants: Grants, functions: Sequence[str] = ()) -> None:
    """Gives the role these privileges on these tables, and no others on them, in the caller's transaction. What these
    functions do is done with the owner's rights, so that nobody else may call them.

    It leaves other tables alone: a version that has more modules may be serving. Two at once would fail ("tuple
    concurrently updated"): `migrate` does it under its lock.
    """
    name = sql.Identifier(role)
    for table, privileges in grants.items():
        for statement in ("REVOKE ALL ON {table} FROM {role}", "GRANT {privileges} ON {table} TO {role}"):
            parts = {"table": sql.Identifier(table), "role": name, "privileges": sql.SQL(privileges)}
            _execute(connection, sql.SQL(statement).format(**parts))
    for function in functions:
        for statement in (
            "REVOKE ALL ON FUNCTION {function} FROM PUBLIC",
            "GRANT EXECUTE ON FUNCTION {function} TO {role}",
        ):
            parts = {"function": sql.Identifier(function), "role": name}
            _execute(connection, sql.SQL(statement).format(**parts))


def ensure_role(owner_url: str, role: str) -> None:
    """For the embedded server, whose roles need no password: only its owner can connect."""
    try:
        with psycopg.connect(owner_url) as connection:
            connection.execute(_CREATE_ROLE.format(sql.Identifier(role)))
    except psycopg.Error as error:
        raise EmbeddedPostgresError(f"The embedded PostgreSQL does not work: {' '.join(str(error).split())}") from None


def _execute(connection: Connection, statement: sql.Composed) -> None:
    connection.exec_driver_sql(statement.as_string())
