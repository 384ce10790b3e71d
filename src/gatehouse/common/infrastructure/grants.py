"""What the server's database role may do. It reads and writes rows; the owner alone changes the schema."""

from typing import Final

from psycopg import Connection, sql

GRANTS: Final = {
    "users": "SELECT, INSERT, UPDATE",
    "sessions": "SELECT, INSERT, UPDATE, DELETE",
    "attempts": "SELECT, INSERT, UPDATE, DELETE",
    "audit_events": "SELECT, INSERT",
    "alembic_version": "SELECT",
}


def grant_to_server(owner_url: str, role: str) -> None:
    """Takes everything from the role and gives it what the table above says, in one transaction."""
    with Connection.connect(owner_url) as connection:
        name = sql.Identifier(role)
        connection.execute(sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(name))
        for table, privileges in GRANTS.items():
            statement = sql.SQL("GRANT {} ON {} TO {}")
            connection.execute(statement.format(sql.SQL(privileges), sql.Identifier(table), name))


def ensure_role(owner_url: str, role: str) -> None:
    """For the embedded server, whose roles need no password: its socket lets in only who owns the folder."""
    with Connection.connect(owner_url) as connection:
        found = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
