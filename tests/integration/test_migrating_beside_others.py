"""Migrating while servers, other migrations and long transactions are at work."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from subprocess import PIPE

import psycopg
import pytest
from alembic import command
from psycopg import sql
from psycopg.conninfo import make_conninfo

from gatehouse.common.infrastructure import migrations
from gatehouse.common.infrastructure.migration_lines import (
    OWN,
    MigrationError,
    MigrationLine,
    SchemaAge,
    migration_config,
)
from gatehouse.common.infrastructure.migrations import migrate
from gatehouse.testing.database import SERVER_ROLE, CreateDatabase
from tests.integration.embedded import wait_until
from tests.integration.later_version import EXPAND, HEAD, NEXT, OWN_LINE, later_version

pytestmark = pytest.mark.slow

TEN = """
import os, sys
from gatehouse.common.infrastructure.migrations import migrate
from gatehouse.setup.modules import MODULES

pids = []
for _ in range(10):
    pids.append(os.fork())
    if pids[-1] == 0:
        url, role = sys.argv[1:]
        migrate(url, MODULES.migration_lines, server_role=role, report=lambda line: print(line, flush=True))
        os._exit(0)
for pid in pids:
    print(os.waitpid(pid, 0)[1], end=" ")
"""
LOCK = "SELECT pg_advisory_xact_lock(hashtext('gatehouse migrations'))"
RIGHTS = "SELECT array_agg(relacl::text ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
BUILDING_FOR = """
    SELECT extract(epoch FROM clock_timestamp() - waitstart)::float FROM pg_locks
    WHERE NOT granted AND locktype = 'virtualxid' AND database IS NULL
        AND pid IN (SELECT pid FROM pg_stat_progress_create_index)
"""
INSERT_EVENT = """
    INSERT INTO audit_events (id, at, action, outcome) VALUES (gen_random_uuid(), now(), 'grant_admin', 'succeeded')
"""
LOCK_TIMEOUT = 1.0

type Start = Callable[[], Future[dict[str, str]]]


@pytest.fixture
def url(create_database: CreateDatabase) -> str:
    """Of a database with the newest schema of this version."""
    return create_database("beside_others")


@pytest.fixture
def empty_url(create_database: CreateDatabase) -> str:
    return create_database("beside_others_empty", template="template0")


@contextmanager
def connected(url: str, user: str = "postgres") -> Iterator[psycopg.Connection]:
    with psycopg.connect(make_conninfo(url, user=user), autocommit=True) as connection:
        yield connection


@contextmanager
def in_background(url: str, line: MigrationLine = OWN_LINE) -> Iterator[tuple[Start, list[str]]]:
    """What starts a migration, and what this reports. Alembic keeps its state in globals, so there is one at a time."""
    lines: list[str] = []
    with ThreadPoolExecutor() as threads:
        yield partial(threads.submit, migrate, url, [line], server_role=SERVER_ROLE, report=lines.append), lines


def fetch(url: str, statement: str) -> object:
    with connected(url) as owner:
        return (owner.execute(statement.encode()).fetchone() or [None])[0]


def revision(url: str) -> object:
    return fetch(url, "SELECT version_num FROM alembic_version")


@pytest.mark.promise("R4")
def test_ten_that_migrate_at_once_all_succeed(empty_url: str) -> None:
    ten = [sys.executable, "-c", TEN, empty_url, SERVER_ROLE]
    with psycopg.connect(empty_url) as first:
        first.execute(LOCK)
        with subprocess.Popen(ten, stdout=PIPE, text=True) as processes:
            assert processes.stdout
            lines = [processes.stdout.readline() for _ in range(10)]
            first.rollback()
            ends, _ = processes.communicate(timeout=60)

    assert lines == ["Another process migrates: waiting for it.\n"] * 10
    assert ends == "0 " * 10
    assert revision(empty_url) == HEAD


@pytest.mark.promise("R1")
def test_a_migration_that_must_wait_for_a_lock_lets_others_pass_until_it_gets_it(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "PAUSE_SECONDS", 0.1)
    with (
        in_background(url, later_version(tmp_path)) as (start, lines),
        psycopg.connect(url) as long_transaction,
        connected(url, SERVER_ROLE) as server,
    ):
        server.execute("SET lock_timeout = '2s'")  # as the server's connections have it
        long_transaction.execute("SELECT FROM users")
        migration = start()

        while len(lines) < 2:
            server.execute("SELECT FROM users")
            assert not migration.done()
        long_transaction.rollback()

        assert migration.result() == {}
    assert lines[0] == (
        "Another transaction holds what is to be changed; trying again: ALTER TABLE users ADD COLUMN shoe_size TEXT"
    )
    assert revision(url) == NEXT


@pytest.mark.promise("R1")
def test_a_migration_that_never_gets_its_lock_says_for_what_and_changes_nothing(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LOCK_TRIES", 1)
    later = later_version(tmp_path, f"op.create_table('boots')\n{EXPAND}")
    with in_background(url, later) as (start, _), psycopg.connect(url) as long_transaction:
        long_transaction.execute("SELECT FROM users")

        with pytest.raises(MigrationError) as caught:
            start().result(timeout=30)

    assert str(caught.value) == (
        "Another transaction holds what is to be changed (after 1 tries): ALTER TABLE users ADD COLUMN shoe_size TEXT. "
        "See which one in pg_stat_activity, and run `gatehouse migrate` again."
    )
    assert (revision(url), fetch(url, "SELECT to_regclass('boots')")) == (HEAD, None)


@pytest.mark.promise("R1")
def test_no_limit_of_the_database_or_the_role_ends_a_migration(url: str, tmp_path: Path) -> None:
    with connected(url) as owner:
        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
            database = sql.Identifier(owner.info.dbname)
            owner.execute(sql.SQL("ALTER DATABASE {} SET {} = '100ms'").format(database, sql.Identifier(limit)))

    migrate(url, [later_version(tmp_path, 'op.execute("SELECT pg_sleep(0.3)")')])

    assert revision(url) == NEXT


@pytest.mark.promise("R1")
def test_an_index_is_added_to_the_audit_trail_while_others_write(url: str) -> None:
    command.downgrade(migration_config(url, OWN_LINE), "0004")
    with (
        in_background(url) as (start, lines),
        psycopg.connect(url) as long_transaction,
        connected(url) as owner,
        connected(url, SERVER_ROLE) as server,
    ):
        long_transaction.execute(INSERT_EVENT)
        migration = start()
        wait_until(lambda: (owner.execute(BUILDING_FOR).fetchone() or [0])[0] > LOCK_TIMEOUT)
        server.execute("SET lock_timeout = '2s'")

        server.execute(INSERT_EVENT)
        long_transaction.commit()

        assert (migration.result(), lines) == ({}, [])
    assert revision(url) == HEAD


def test_an_index_that_was_left_half_made_is_made_anew(url: str) -> None:
    command.downgrade(migration_config(url, OWN_LINE), "0004")
    with psycopg.connect(url) as owner:
        owner.execute("CREATE INDEX ix_audit_events_actor_action ON audit_events (ip)")
        owner.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_audit_events_actor_action'::regclass"
        )

    migrate(url, [OWN_LINE])

    assert fetch(url, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0
    assert "(actor, action, at, id)" in str(
        fetch(url, "SELECT pg_get_indexdef('ix_audit_events_actor_action'::regclass)")
    )


@pytest.mark.promise("R3")
def test_a_newer_schema_is_left_as_it_is_with_its_rights(url: str, tmp_path: Path) -> None:
    later = later_version(tmp_path)
    migrate(url, [replace(later, grants={**later.grants, "shoes": "SELECT"})], server_role=SERVER_ROLE)
    rights = fetch(url, RIGHTS)

    assert migrate(url, [OWN_LINE], server_role=SERVER_ROLE) == {OWN: NEXT}

    assert (revision(url), fetch(url, RIGHTS)) == (NEXT, rights)


@pytest.mark.promise("R3")
@pytest.mark.parametrize("unknown", ["0000", "", "zzzz", "10000", "0004a", "٩٩٩٩"])
def test_a_schema_that_is_none_of_gatehouse_s_is_named_and_left_as_it_is(url: str, unknown: str) -> None:
    with psycopg.connect(url) as owner:
        owner.execute("UPDATE alembic_version SET version_num = %s", [unknown])
    rights = fetch(url, RIGHTS)

    with pytest.raises(MigrationError) as caught:
        migrate(url, [OWN_LINE], server_role=SERVER_ROLE)

    assert str(caught.value).startswith(f"The database schema has the revision {unknown!r}, which is not one of ")
    assert (revision(url), fetch(url, RIGHTS)) == (unknown, rights)


def test_rights_are_not_given_where_the_migration_fails(empty_url: str, tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match=r'^PostgreSQL refuses: relation "nowhere" does not exist\.$'):
        migrate(empty_url, [later_version(tmp_path, 'op.execute("SELECT FROM nowhere")')], server_role=SERVER_ROLE)

    assert fetch(empty_url, "SELECT count(*) FROM pg_class WHERE relacl::text LIKE '%gatehouse_server%'") == 0


def test_a_role_that_does_not_exist_is_one_line_and_nothing_is_migrated(url: str) -> None:
    command.downgrade(migration_config(url, OWN_LINE), "0005")

    with pytest.raises(MigrationError, match=r'^PostgreSQL refuses: role "nobody_there" does not exist\.$'):
        migrate(url, [OWN_LINE], server_role="nobody_there")

    assert revision(url) == "0005"


def test_revisions_are_numbers_that_sort_as_they_follow() -> None:
    script = OWN_LINE.script()
    line = [step.revision for step in script.walk_revisions()][::-1]

    assert line == [f"{number:04}" for number in range(1, len(line) + 1)]
    assert {SchemaAge.of(step, script) for step in [None, *line[:-1]]} == {SchemaAge.OLDER}
