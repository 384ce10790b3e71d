"""What the server's database role may do, and how it comes by it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from gatehouse.common.infrastructure.grants import ensure_role
from gatehouse.common.infrastructure.metadata import metadata
from gatehouse.common.infrastructure.migrations import migrate
from gatehouse.common.settings import PostgresSettings, Settings
from gatehouse.setup.database_url import DatabaseUrls, database_urls
from gatehouse.setup.modules import MODULES
from gatehouse.testing.database import SERVER_ROLE, CreateDatabase
from gatehouse.testing.under_test import modules_under_test
from tests.integration.embedded import wait_until

pytestmark = pytest.mark.slow

PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


@pytest.fixture
def server(settings: Settings) -> Iterator[psycopg.Connection]:
    with psycopg.connect(settings[PostgresSettings].url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def empty_url(create_database: CreateDatabase) -> str:
    return create_database("grants", template="template0")


def privileges_of(url: str, role: str) -> dict[str, set[str]]:
    statement = """
        SELECT relname, privilege FROM pg_class, unnest(%(privileges)s::text[]) AS privilege
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S', 'm')
            AND has_table_privilege(%(role)s, pg_class.oid, privilege)
    """
    granted: dict[str, set[str]] = {}
    with psycopg.connect(url) as connection:
        for table, privilege in connection.execute(statement, {"privileges": list(PRIVILEGES), "role": role}):
            granted.setdefault(table, set()).add(privilege)
    return granted


@pytest.mark.promise("K3")
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE INDEX mine ON users (role)",
        "ALTER TABLE users ADD mine int",
        "ALTER TABLE users DROP CONSTRAINT uq_users_username",
        "ALTER TABLE audit_events DISABLE TRIGGER ALL",
        "DROP TABLE sessions",
        "TRUNCATE attempts",
        "UPDATE audit_events SET actor = NULL",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "DELETE FROM users",
        "TRUNCATE users CASCADE",
        "UPDATE alembic_version SET version_num = 'mine'",
        "DELETE FROM alembic_version",
        "ALTER ROLE gatehouse_server SUPERUSER",
        "SET ROLE postgres",
        "COPY users TO PROGRAM 'true'",
    ],
)
def test_the_server_s_role_may_not(server: psycopg.Connection, statement: LiteralString) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        server.execute(statement)


@pytest.mark.promise("K3")
def test_the_server_s_role_is_no_superuser_and_owns_nothing(server: psycopg.Connection) -> None:
    statement = """
        SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls,
            (SELECT count(*) FROM pg_class WHERE relowner = pg_roles.oid),
            (SELECT count(*) FROM pg_auth_members WHERE member = pg_roles.oid)
        FROM pg_roles WHERE rolname = current_user
    """

    assert server.execute("SELECT current_user").fetchone() == (SERVER_ROLE,)
    assert server.execute(statement).fetchone() == (False, False, False, False, False, 0, 0)


@pytest.mark.promise("K3")
def test_every_table_has_its_rights_decided() -> None:
    assert set(modules_under_test().grants) == set(metadata.tables)


@pytest.mark.promise("K3")
def test_migrating_gives_a_fresh_role_its_rights_and_takes_away_all_others(empty_url: str, worker_id: str) -> None:
    role = f"gatehouse_fresh_{worker_id}"
    expected = {table: set(privileges.split(", ")) for table, privileges in MODULES.grants.items()}
    expected["alembic_version"] = {"SELECT"}
    for _ in range(2):
        ensure_role(empty_url, role)

    migrate(empty_url, MODULES.migration_lines, server_role=role)
    assert privileges_of(empty_url, role) == expected

    with psycopg.connect(empty_url) as owner:
        owner.execute(sql.SQL("GRANT ALL ON users, audit_events TO {}").format(sql.Identifier(role)))
    migrate(empty_url, MODULES.migration_lines, server_role=role)
    assert privileges_of(empty_url, role) == expected


def test_a_role_that_two_processes_make_at_once_is_made_by_the_faster(owner_url: str, worker_id: str) -> None:
    role = f"gatehouse_raced_{worker_id}"
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
    with (
        psycopg.connect(owner_url, autocommit=True) as monitor,
        ThreadPoolExecutor() as slower,
        psycopg.connect(owner_url) as faster,
    ):
        faster.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        made = slower.submit(ensure_role, owner_url, role)
        wait_until(lambda: made.done() or monitor.execute(waiting).fetchone() != (0,))
        faster.commit()
        made.result()
        monitor.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@pytest.mark.parametrize(
    ("postgres", "urls", "role"),
    [
        (PostgresSettings(url="postgresql://one@host/db"), DatabaseUrls(*["postgresql://one@host/db"] * 2), None),
        (
            PostgresSettings(url="postgresql://one@host/db", owner_url="postgresql://boss@host/db"),
            DatabaseUrls("postgresql://one@host/db", "postgresql://boss@host/db"),
            "one",
        ),
        (
            PostgresSettings(url="postgresql://one@host/db", owner_url="host=host user=one dbname=db"),
            DatabaseUrls("postgresql://one@host/db", "host=host user=one dbname=db"),
            None,
        ),
    ],
)
def test_server_and_owner_are_told_apart_by_their_names(
    postgres: PostgresSettings, urls: DatabaseUrls, role: str | None
) -> None:
    with database_urls(postgres) as found:
        assert (found, found.server_role) == (urls, role)


@pytest.mark.promise("K3")
def test_the_embedded_server_has_both_roles(cluster: Path) -> None:
    with database_urls(PostgresSettings(data_dir=cluster)) as urls:
        migrate(urls.owner, MODULES.migration_lines, server_role="gatehouse_server")

        assert urls.server_role == conninfo_to_dict(urls.server)["user"] == "gatehouse_server"
        with psycopg.connect(urls.server) as server, pytest.raises(psycopg.errors.InsufficientPrivilege):
            server.execute("DROP TABLE users")
