"""The partitions of the audit trail: what `gatehouse migrate` makes ahead, what it drops, and what it leaves alone."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from alembic import command
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection

from gatehouse.audit.application.events import AuditRequest
from gatehouse.audit.infrastructure import partitions
from gatehouse.audit.infrastructure.partitions import MONTHS_AHEAD, Partition, drop_expired, find_partitions, make_ahead
from gatehouse.audit.infrastructure.queries.list_audit_events import SqlAuditPages
from gatehouse.audit.settings import AuditSettings
from gatehouse.common.application.write_position import WritePosition
from gatehouse.common.domain.months import begin_of_month
from gatehouse.common.infrastructure import migrations
from gatehouse.common.infrastructure.cursors import SignedCursors
from gatehouse.common.infrastructure.migration_lines import OWN, MigrationError, migration_config
from gatehouse.common.infrastructure.migrations import migrate, open_owner
from gatehouse.common.infrastructure.replica.query_database import QueryDatabase
from gatehouse.common.modules import Modules
from gatehouse.common.settings import Settings
from gatehouse.setup.modules import MODULES
from gatehouse.testing.database import SERVER_ROLE, CreateDatabase
from gatehouse.testing.fakes import FakeClock
from tests.integration.embedded import wait_until
from tests.integration.later_version import OWN_LINE, later_version
from tests.integration.million import RecordingDatabase, explain

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
INSERT = "INSERT INTO audit_events (id, at, action, outcome) VALUES (gen_random_uuid(), %s, 'log_in', 'succeeded')"
WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'audit_events'::regclass"
RIGHTS = """
    SELECT relname FROM pg_class
    WHERE relname LIKE 'audit_events%' AND relacl::text LIKE '%gatehouse_server%' ORDER BY relname
"""
KEPT = Settings().replace(AuditSettings(keep_months=3))


@dataclass
class Trail:
    """A database with an audit trail, as its owner and as the server see it."""

    url: str
    owner: Connection

    @contextmanager
    def server(self) -> Iterator[psycopg.Connection]:
        with psycopg.connect(make_conninfo(self.url, user=SERVER_ROLE), autocommit=True) as connection:
            connection.execute("SET lock_timeout = '2s'")  # as the server's connections have it
            yield connection

    def insert(self, *times: datetime) -> None:
        with self.server() as server:
            for time in times:
                server.execute(INSERT, [time])

    def times(self) -> list[datetime]:
        with self.server() as server:
            return [at for (at,) in server.execute("SELECT at FROM audit_events ORDER BY at")]

    def partitions(self) -> list[Partition]:
        with self.owner.begin():
            self.owner.exec_driver_sql("SET LOCAL TimeZone = 'UTC'")
            return find_partitions(self.owner)

    def partition_of(self, time: datetime) -> str:
        with psycopg.connect(self.url) as owner:
            [(name,)] = owner.execute("SELECT tableoid::regclass::text FROM audit_events WHERE at = %s", [time])
        return str(name)

    def migrate(self, settings: Settings | None = None) -> list[str]:
        lines: list[str] = []
        upkeep = MODULES.upkeep(settings or Settings())
        migrate(self.url, [OWN_LINE], server_role=SERVER_ROLE, upkeep=upkeep, report=lines.append)
        return lines


@pytest.fixture
def trail(create_database: CreateDatabase) -> Iterator[Trail]:
    url = create_database("partitions")
    with open_owner(url).connect() as owner:
        yield Trail(url, owner)


def ensure_gapless(found: list[Partition]) -> None:
    """From MINVALUE to MAXVALUE, none of them the default partition."""
    assert (found[0].since, found[-1].until) == (None, None)
    assert [before.until for before in found[:-1]] == [after.since for after in found[1:]]


def test_the_months_of_two_years_are_made_ahead_and_the_ends_are_open(trail: Trail) -> None:
    trail.migrate()

    found = trail.partitions()
    ensure_gapless(found)
    assert found[-1].since == begin_of_month(NOW, MONTHS_AHEAD + 1)
    assert [partition.until for partition in found[1:-1]] == [
        begin_of_month(partition.since, 1) for partition in found[1:-1] if partition.since
    ]
    trail.insert(datetime(1970, 1, 1, tzinfo=UTC), NOW, NOW + 9_000 * DAY)


def test_a_repeated_migration_leaves_them_as_they_are(trail: Trail) -> None:
    trail.migrate()
    before = trail.partitions()

    assert trail.migrate() == []

    assert trail.partitions() == before


@pytest.mark.promise("K3")
def test_the_server_reads_and_writes_through_the_table_and_no_partition_by_itself(trail: Trail) -> None:
    trail.migrate()
    month = trail.partitions()[1]
    assert month.since
    trail.insert(month.since)

    with psycopg.connect(trail.url) as owner:
        assert owner.execute(RIGHTS).fetchall() == [("audit_events",)]
    for statement in (
        f"SELECT FROM {month.name}",
        f"DROP TABLE {month.name}",
        f"ALTER TABLE audit_events DETACH PARTITION {month.name}",
    ):
        with trail.server() as server, pytest.raises(psycopg.errors.InsufficientPrivilege):
            server.execute(statement.encode())


def test_after_years_without_a_migration_the_last_one_becomes_a_partition_of_its_own(trail: Trail) -> None:
    trail.migrate()
    late = NOW + 1095 * DAY
    times = [NOW, late - 200 * DAY, late - DAY, late]
    trail.insert(*times)

    make_ahead(trail.owner, late)

    found = trail.partitions()
    ensure_gapless(found)
    assert found[-1].since == begin_of_month(late, MONTHS_AHEAD + 1)
    assert trail.times() == times
    assert trail.partition_of(late) == trail.partition_of(late - 200 * DAY)
    trail.insert(late + 32 * DAY, late + 9_000 * DAY)
    with psycopg.connect(trail.url) as owner:
        checks = "SELECT count(*) FROM pg_constraint WHERE contype = 'c' AND conname LIKE '%until%'"
        assert owner.execute(checks).fetchone() == (0,)


def test_an_event_from_a_clock_that_is_far_ahead_stays_in_the_last_partition(trail: Trail) -> None:
    trail.migrate()
    ahead = NOW + 9_000 * DAY
    trail.insert(ahead)
    later = NOW + 100 * DAY

    make_ahead(trail.owner, later)

    found = trail.partitions()
    ensure_gapless(found)
    assert found[-1].since == begin_of_month(later, MONTHS_AHEAD + 1)
    assert trail.partition_of(ahead) == found[-1].name


@pytest.mark.promise("R9")
@pytest.mark.parametrize("time", ["9999-12-15", "20000-01-01", "infinity"])
def test_an_event_at_the_end_of_time_is_told_where_no_partition_can_follow_it(trail: Trail, time: str) -> None:
    trail.migrate()
    with trail.server() as server:
        server.execute(INSERT, [time])
    later = NOW + 2 * 365 * DAY
    trail.insert(later)

    with pytest.raises(MigrationError, match="event of the year 9999 or later: correct its `at`"):
        make_ahead(trail.owner, later)


@pytest.mark.promise("R9")
def test_a_default_partition_is_told_to_be_detached(trail: Trail) -> None:
    trail.migrate()
    with trail.owner.begin():
        trail.owner.exec_driver_sql("CREATE TABLE others PARTITION OF audit_events DEFAULT")

    with pytest.raises(MigrationError, match=r"others has other bounds than two times: DEFAULT\. Detach it"):
        trail.migrate()


def test_what_an_interrupted_attempt_has_left_is_replaced(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    trail.migrate()
    late = NOW + 1095 * DAY
    trail.insert(late)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(partitions, "_keep_as_past", interrupt)
    with pytest.raises(KeyboardInterrupt):
        make_ahead(trail.owner, late)
    trail.insert(late)
    monkeypatch.undo()

    make_ahead(trail.owner, late + 40 * DAY)

    ensure_gapless(trail.partitions())
    assert trail.times() == [late, late]


def test_whole_months_are_dropped_once_they_are_expired_and_an_old_event_still_finds_its_place(trail: Trail) -> None:
    trail.migrate()
    start = trail.partitions()[0].until
    assert start
    times = [start - DAY, start, begin_of_month(start, 1), begin_of_month(start, 2)]
    trail.insert(*times)
    lines: list[str] = []

    drop_expired(trail.owner, begin_of_month(start, 1) - DAY, lines.append)
    assert trail.times() == times[1:]
    drop_expired(trail.owner, begin_of_month(start, 2), lines.append)
    drop_expired(trail.owner, begin_of_month(start, 2), lines.append)

    assert trail.times() == times[3:]
    assert lines == [
        f"Dropped the audit events before {end:%Y-%m-%d}: [audit] keep_months." for end in (start, times[3])
    ]
    ensure_gapless(trail.partitions())
    trail.insert(start)


def test_months_are_kept_unless_the_settings_say_so_and_never_the_present_ones(trail: Trail) -> None:
    trail.insert(NOW - 4000 * DAY, NOW)

    assert (trail.migrate(), trail.migrate(KEPT), len(trail.times())) == ([], [], 2)


def test_expired_events_are_dropped_by_the_migration(trail: Trail) -> None:
    trail.migrate()
    with psycopg.connect(trail.url) as owner:  # as if the first partition had been made half a year ago
        first, begin = trail.partitions()[0], begin_of_month(NOW, -4)
        owner.execute("ALTER TABLE audit_events DETACH PARTITION audit_events_first")
        owner.execute("ALTER TABLE audit_events_first RENAME TO audit_events_since")
        owner.execute("CREATE TABLE audit_events_first (LIKE audit_events INCLUDING ALL)")
        for name, bounds in (
            ("audit_events_first", f"FROM (MINVALUE) TO ('{begin}')"),
            ("audit_events_since", f"FROM ('{begin}') TO ('{first.until}')"),
        ):
            owner.execute(f"ALTER TABLE audit_events ATTACH PARTITION {name} FOR VALUES {bounds}".encode())
    trail.insert(begin - DAY, begin)

    assert (trail.migrate(), trail.times()) == ([], [begin - DAY, begin])
    lines = trail.migrate(KEPT)

    assert lines == [f"Dropped the audit events before {begin:%Y-%m-%d}: [audit] keep_months."]
    assert trail.times() == [begin]


def test_insertions_wait_for_new_partitions_no_longer_than_their_limit(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long transaction holds the table: the migration gives way, and says so."""
    monkeypatch.setattr(migrations, "PAUSE_SECONDS", 0.1)
    with (
        ThreadPoolExecutor() as threads,
        psycopg.connect(trail.url) as long_transaction,
        psycopg.connect(trail.url, autocommit=True) as monitor,
        trail.server() as server,
    ):
        long_transaction.execute(INSERT, [NOW])
        migration = threads.submit(trail.migrate)
        wait_until(lambda: migration.done() or monitor.execute(WAITS).fetchone() != (0,))
        assert not migration.done()

        server.execute(INSERT, [NOW])
        long_transaction.commit()

        lines = migration.result()
    assert lines
    assert all("DETACH PARTITION audit_events_last" in line for line in lines)
    assert len(trail.partitions()) > MONTHS_AHEAD


def test_partitions_that_cannot_be_made_yet_are_told_and_fail_nothing(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LOCK_TRIES", 1)
    before = trail.partitions()
    with psycopg.connect(trail.url) as long_transaction:
        long_transaction.execute(INSERT, [NOW])

        [line] = trail.migrate()

    assert line.startswith("Another transaction holds what is to be changed")
    assert trail.partitions() == before


@pytest.mark.promise("R3")
def test_an_older_version_leaves_the_partitions_of_a_newer_one_alone(trail: Trail, tmp_path: Path) -> None:
    migrate(trail.url, [later_version(tmp_path)])
    before = trail.partitions()

    assert migrate(trail.url, [OWN_LINE], upkeep=MODULES.upkeep(Settings())) != {}

    assert trail.partitions() == before


@pytest.mark.promise("R3")
def test_a_filled_table_is_taken_along_while_the_version_before_writes(trail: Trail) -> None:
    command.downgrade(migration_config(trail.url, OWN_LINE), "0005")
    with trail.server() as server:
        server.execute("""
            INSERT INTO audit_events (id, at, action, outcome, actor)
            SELECT gen_random_uuid(), now() - number * interval '1 hour', 'log_in', 'succeeded', 'alice'
            FROM generate_series(1, 5000) AS number
        """)
        file = "SELECT pg_relation_filenode(%s)"
        with psycopg.connect(trail.url) as owner:
            before = owner.execute(file, ["audit_events"]).fetchone()
        for _ in range(10):  # so that its statements are prepared for the table as it was
            server.execute(INSERT, [datetime.now(UTC)], prepare=True)
        with ThreadPoolExecutor() as threads:
            migration = threads.submit(trail.migrate)
            written = 10
            while not migration.done():
                server.execute(INSERT, [datetime.now(UTC)], prepare=True)
                written += 1
            assert migration.result() == []
        server.execute(INSERT, [datetime.now(UTC)], prepare=True)

    assert len(trail.times()) == 5000 + written + 1
    with psycopg.connect(trail.url) as owner:
        assert owner.execute(file, ["audit_events_first"]).fetchone() == before
        assert owner.execute(RIGHTS).fetchall() == [("audit_events",)]
        invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid OR NOT indisready"
        assert owner.execute(invalid).fetchone() == (0,)


@pytest.mark.promise("R9")
@pytest.mark.parametrize("time", ["9999-12-15", "infinity"])
def test_a_table_with_an_event_at_the_end_of_time_is_not_partitioned(trail: Trail, time: str) -> None:
    command.downgrade(migration_config(trail.url, OWN_LINE), "0005")
    with trail.server() as server:
        server.execute(INSERT, [time])

    with pytest.raises(MigrationError, match="event of the year 9999 or later"):
        trail.migrate()

    with psycopg.connect(trail.url) as owner:
        owner.execute("UPDATE audit_events SET at = now()")
    assert trail.migrate() == []
    ensure_gapless(trail.partitions())


def test_what_is_built_stays_built_while_the_table_is_waited_for(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "PAUSE_SECONDS", 0.1)
    command.downgrade(migration_config(trail.url, OWN_LINE), "0005")
    file, lines = "SELECT pg_relation_filenode('ix_audit_events_outcome')", list[str]()
    with (
        ThreadPoolExecutor() as threads,
        psycopg.connect(trail.url) as long_transaction,
        psycopg.connect(trail.url, autocommit=True) as owner,
    ):
        long_transaction.execute("SELECT FROM audit_events")
        migration = threads.submit(migrate, trail.url, [OWN_LINE], report=lines.append)
        wait_until(lambda: bool(lines))
        built = owner.execute(file).fetchone()
        tried = len(lines)
        wait_until(lambda: len(lines) > tried)
        assert owner.execute(file).fetchone() == built
        long_transaction.rollback()
        assert migration.result() == {}

    ensure_gapless(trail.partitions())


def test_the_way_back_keeps_every_event_and_every_right(trail: Trail) -> None:
    trail.migrate()
    times = [NOW - 500 * DAY, NOW, NOW + 60 * DAY, NOW + 9_000 * DAY]
    trail.insert(*times)

    command.downgrade(migration_config(trail.url, OWN_LINE), "0005")

    assert trail.times() == times
    trail.insert(NOW)
    command.upgrade(migration_config(trail.url, OWN_LINE), "0006")  # which grants no rights of its own accord
    trail.insert(NOW)
    trail.migrate()
    assert len(trail.times()) == 6
    ensure_gapless(trail.partitions())


def test_upkeep_belongs_to_the_line_of_its_module() -> None:
    assert list(MODULES.upkeep(Settings())) == [OWN]
    outside = replace(next(iter(MODULES)), name="loans", migrations="acme.loans:migrations", upkeep=lambda *_: None)
    assert list(Modules([outside]).upkeep(Settings())) == ["loans"]


@asynccontextmanager
async def reading(trail: Trail, clock: FakeClock) -> AsyncIterator[tuple[SqlAuditPages, RecordingDatabase]]:
    database = RecordingDatabase(make_conninfo(trail.url, user=SERVER_ROLE))
    await database.open()
    reads, cursors = QueryDatabase(database, None, WritePosition), SignedCursors("a secret for the cursors")
    yield SqlAuditPages(reads, cursors, clock), database
    await database.close()


async def test_a_page_looks_into_few_months_however_many_there_are(trail: Trail) -> None:
    """Planning takes PostgreSQL longer than reading: with all partitions, 20 ms for a page of less than one."""
    trail.migrate()
    later = NOW + 300 * DAY
    with trail.server() as server:
        server.execute(
            "INSERT INTO audit_events (id, at, action, outcome, actor) SELECT gen_random_uuid(), "
            "%s - number * interval '1 hour', 'log_in', 'succeeded', 'alice' FROM generate_series(1, 15000) AS number",
            [later],
        )
    async with reading(trail, FakeClock(later)) as (pages, database):
        for first in (AuditRequest(), AuditRequest(actor="alice"), AuditRequest(actor="alice", action="log_in")):
            cursor = (await pages(first)).next_cursor
            for request in (replace(first, cursor=cursor), replace(first, until=later - 200 * DAY)):
                database.statements.clear()
                assert len((await pages(request)).events) == request.limit

                [statement] = database.statements
                assert not statement.is_prepared
                with trail.server() as server:
                    [plan] = explain(server, statement)
                assert len(plan.tables) == 2


async def test_events_are_found_however_far_apart_they_are(trail: Trail) -> None:
    trail.migrate()
    times = [NOW + days * DAY for days in (9_000, 400, 35, 0, -20, -300, -380, -4_000)]
    trail.insert(*times)
    async with reading(trail, FakeClock()) as (pages, _):
        page = await pages(AuditRequest(limit=1, action="log_in"))
        found = page.events
        while page.next_cursor is not None:
            page = await pages(AuditRequest(limit=1, action="log_in", cursor=page.next_cursor))
            found += page.events
        whole = await pages(AuditRequest(limit=100))
        since = await pages(AuditRequest(since=NOW - 310 * DAY, until=NOW + DAY))

    assert [event.at for event in found] == times
    assert [event.at for event in whole.events] == times
    assert [event.at for event in since.events] == times[3:6]
