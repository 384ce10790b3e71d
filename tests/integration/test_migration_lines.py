"""Several lines of migrations in one database: Gatehouse's own, and those of modules from outside."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import psycopg
import pytest
from alembic import command
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy import CheckConstraint, Index
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.database import Database, open_database
from gatehouse.common.infrastructure.migration_lines import OWN, MigrationError, MigrationLine, migration_config
from gatehouse.common.infrastructure.migrations import migrate
from gatehouse.common.infrastructure.schema_readiness import SchemaReadiness
from gatehouse.setup.modules import MODULES, with_modules
from gatehouse.testing.database import SERVER_ROLE, CreateDatabase
from gatehouse.testing.migrations import check_migrations
from tests.integration.later_version import OWN_LINE
from tests.modules.badges.declaration import TESTS
from tests.sample.infrastructure.tables import badges

LINES: Final = with_modules(["tests.sample"]).migration_lines
BADGES_LINE: Final = LINES[1]
SET_REVISION: Final = sql.SQL("UPDATE {} SET version_num = %s")
RIGHTS: Final = """
    SELECT privilege_type FROM information_schema.role_table_grants WHERE table_name = %s AND grantee = %s
"""

type Break = Callable[[str], MigrationLine]


@pytest.fixture
def url(create_database: CreateDatabase) -> str:
    """Of a database with the newest schema of all lines."""
    return create_database("lines")


@pytest.fixture
def own_only_url(create_database: CreateDatabase) -> str:
    """Of a database that knows no module from outside."""
    url = create_database("lines")
    with psycopg.connect(url) as owner:
        owner.execute("DROP TABLE badges, alembic_version_badges")
    return url


@pytest.fixture
def with_another(tmp_path: Path) -> Break:
    """Badges, whose next migration is the given statement of Python."""

    def write(upgrade: str) -> MigrationLine:
        folder = tmp_path / "versions"
        folder.mkdir(exist_ok=True)
        for file in BADGES_LINE.folder.glob("*.py"):
            (folder / file.name).write_text(file.read_text())
        (folder / "0002_next.py").write_text(f"""
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("CREATE TABLE half ()")
    {upgrade}
""")
        return replace(BADGES_LINE, location=str(folder))

    return write


def fetch(url: str, statement: str) -> object:
    with psycopg.connect(url) as owner:
        return (owner.execute(statement.encode()).fetchone() or [None])[0]


def revisions(url: str) -> tuple[object, object]:
    """Of Gatehouse, and of the badges."""
    statement = "SELECT max(version_num) FROM {}"
    return tuple(fetch(url, statement.format(line.version_table)) for line in LINES)  # type: ignore[return-value]


def rights(url: str, table: str) -> set[str]:
    with psycopg.connect(url) as owner:
        return {privilege for (privilege,) in owner.execute(RIGHTS, [table, SERVER_ROLE])}


@pytest.mark.slow
def test_the_migrations_of_a_module_run_up_down_and_up_again_and_make_its_tables(
    create_database: CreateDatabase,
) -> None:
    check_migrations(TESTS, create_database)


@pytest.mark.slow
def test_an_index_that_no_migration_makes_is_found(create_database: CreateDatabase) -> None:
    index = Index("ix_badges_name_again", badges.c.name)
    try:
        with pytest.raises(AssertionError, match="new-migration"):
            check_migrations(TESTS, create_database)
    finally:
        badges.indexes.remove(index)


@pytest.mark.slow
@pytest.mark.parametrize(
    "rule",
    [CheckConstraint("name <> ''", name="no_empty_name"), ExcludeConstraint(("name", "="), name="ex_badges_name")],
    ids=["a check", "an exclusion"],
)
def test_a_rule_that_no_migration_makes_is_found(
    create_database: CreateDatabase, rule: CheckConstraint | ExcludeConstraint
) -> None:
    badges.append_constraint(rule)
    try:
        with pytest.raises(AssertionError, match="checks and exclusions differ"):
            check_migrations(TESTS, create_database)
    finally:
        badges.constraints.remove(rule)


@pytest.mark.slow
def test_a_table_that_the_migrations_make_and_no_module_declares_is_found(create_database: CreateDatabase) -> None:
    tests = replace(TESTS, module=replace(TESTS.module, tables={}))

    with pytest.raises(AssertionError, match="tables that the module does not declare"):
        check_migrations(tests, create_database)


def test_a_declared_table_that_no_migration_makes_is_named(own_only_url: str) -> None:
    line = replace(BADGES_LINE, grants={**BADGES_LINE.grants, "medals": "SELECT"})

    with pytest.raises(MigrationError, match="badges: none makes the table medals: `gatehouse new-migration badges`"):
        migrate(own_only_url, [LINES[0], line], server_role=SERVER_ROLE)


def test_each_line_has_a_table_of_its_own_and_the_server_its_rights(own_only_url: str) -> None:
    newest = {line.name: line.script().get_current_head() for line in LINES}

    assert migrate(own_only_url, LINES, server_role=SERVER_ROLE) == {}

    assert revisions(own_only_url) == (newest[OWN], newest["badges"])
    assert rights(own_only_url, "badges") == {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert rights(own_only_url, "alembic_version_badges") == {"SELECT"}


FAILURES: Final = {
    'op.execute("SELECT FROM nowhere")': 'PostgreSQL refuses: relation "nowhere" does not exist.',
    "nowhere()": "{file}, line 11: NameError: name 'nowhere' is not defined.",
    'op.execute("SELECT 1 / 0")': "DivisionByZero, SQLSTATE 22012, constraint None",
}


@pytest.mark.slow
@pytest.mark.parametrize("upgrade", FAILURES)
def test_a_line_that_fails_is_named_and_undone_and_those_before_it_are_done(
    create_database: CreateDatabase, with_another: Break, upgrade: str
) -> None:
    url = create_database("lines", template="template0")
    failing = with_another(upgrade)

    with pytest.raises(MigrationError) as caught:
        migrate(url, [OWN_LINE, failing], server_role=SERVER_ROLE)

    expected = FAILURES[upgrade].format(file=failing.folder / "0002_next.py")
    assert str(caught.value) == f"In the migrations of badges: {expected}"
    assert fetch(url, "SELECT version_num FROM alembic_version") == OWN_LINE.script().get_current_head()
    assert rights(url, "users") == {"SELECT", "INSERT", "UPDATE"}
    assert [fetch(url, f"SELECT to_regclass('{table}')") for table in ("half", "badges")] == [None, None]
    assert migrate(url, LINES, server_role=SERVER_ROLE) == {}


def test_a_line_that_is_unknown_keeps_all_from_being_changed(url: str) -> None:
    command.downgrade(migration_config(url, OWN_LINE), "0004")
    with psycopg.connect(url) as owner:
        owner.execute("UPDATE alembic_version_badges SET version_num = 'a1b2'")

    with pytest.raises(MigrationError) as caught:
        migrate(url, LINES)

    assert str(caught.value) == (
        "The tables of badges have the revision 'a1b2', which is not one of badges (this version knows those up to "
        "0001): is it the right database? Nothing was changed."
    )
    assert revisions(url) == ("0004", "a1b2")


def test_a_newer_line_is_left_with_its_rights_and_the_others_are_brought_on(url: str) -> None:
    command.downgrade(migration_config(url, OWN_LINE), "0004")
    with psycopg.connect(url) as owner:
        owner.execute("UPDATE alembic_version_badges SET version_num = '0009'")
        owner.execute(f"REVOKE DELETE ON badges FROM {SERVER_ROLE}".encode())

    assert migrate(url, LINES, server_role=SERVER_ROLE) == {"badges": "0009"}

    assert revisions(url) == (OWN_LINE.script().get_current_head(), "0009")
    assert rights(url, "badges") == {"SELECT", "INSERT", "UPDATE"}


def test_who_does_not_know_a_module_leaves_its_tables_and_rights_alone(url: str) -> None:
    """An instance of the version before, say, which starts again beside those that know it."""
    assert migrate(url, MODULES.migration_lines, server_role=SERVER_ROLE) == {}

    assert revisions(url)[1] == "0001"
    assert rights(url, "badges") == {"SELECT", "INSERT", "UPDATE", "DELETE"}


async def is_ready(database: Database) -> bool:
    try:
        await SchemaReadiness(database, LINES).ensure_ready()
    except UnavailableError:
        return False
    return True


async def test_ready_is_who_has_each_line_at_its_newest_revision_or_beyond(url: str) -> None:
    async with open_database(make_conninfo(url, user=SERVER_ROLE), 1) as database:
        assert await is_ready(database)
        with psycopg.connect(url, autocommit=True) as owner:
            for table, before in zip(("alembic_version", "alembic_version_badges"), revisions(url), strict=True):
                for revision, expected in (("9999", True), ("0000", False), ("other", False), (before, True)):
                    owner.execute(SET_REVISION.format(sql.Identifier(table)), [revision])
                    assert await is_ready(database) is expected
            owner.execute("INSERT INTO alembic_version_badges VALUES ('0000')")
            assert not await is_ready(database)
            owner.execute("DROP TABLE alembic_version_badges")
            assert not await is_ready(database)


async def test_readiness_asks_one_statement_however_many_lines_there_are(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    fetch_all = Database.fetch_all

    async def count(self: Database, statement: str, *others: object) -> object:
        asked.append(statement)
        return await fetch_all(self, statement, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(Database, "fetch_all", count)
    async with open_database(url, 1) as database:
        await SchemaReadiness(database, LINES).ensure_ready()

    assert len(asked) == 1
