"""`gatehouse status`: one screen, whatever is away."""

import asyncio
import json
from collections.abc import Callable

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from gatehouse.audit.infrastructure.partitions import find_partitions
from gatehouse.common.infrastructure import database_connection, status
from gatehouse.common.infrastructure.migrations import open_owner
from gatehouse.setup.modules import MODULES
from gatehouse.setup.status import read_status
from gatehouse.testing.database import CreateDatabase
from gatehouse.testing.fakes import PASSWORD
from tests.integration.command_line import Gatehouse
from tests.integration.conftest import until
from tests.integration.proxied_postgres import run_proxy

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
HEAD = str(MODULES.migration_lines[0].script().get_current_head())
EVENT = "INSERT INTO audit_events (id, at, action, outcome) VALUES (gen_random_uuid(), %s, 'log_in', 'succeeded')"
type Screen = Callable[[], dict[str, str]]


@pytest.fixture
def screen(gatehouse: Gatehouse) -> Screen:
    """What is on it, by the first word of each line."""

    def show() -> dict[str, str]:
        code, out, err = gatehouse("status")
        assert (code, err) == (0, "")
        return {name: text.strip() for name, _, text in (line.partition(":") for line in out.splitlines())}

    return show


def test_all_is_on_one_screen(screen: Screen, gatehouse: Gatehouse, own_owner: psycopg.Connection) -> None:
    gatehouse("create-super-admin", "--password-stdin", "chief", stdin=PASSWORD)
    own_owner.execute("""
        INSERT INTO sessions (secret_hash, id, user_id, created_at, last_seen_at, idle_expires_at, expires_at)
        SELECT sha256(n::text::bytea), gen_random_uuid(), users.id, now(), now(), now() + n * interval '1 h', now()
        FROM users, unnest(ARRAY[-1, 1, 2]) AS n
    """)
    own_owner.execute("""
        INSERT INTO attempts SELECT key, 9, now() + wait * interval '1 min', now() + interval '1 h' FROM (VALUES
            ('password:alice:192.0.2.1', 3), ('password:2001:db8:1:2::', 2), ('password:bobby:192.0.2.1', -1),
            ('sign-up:192.0.2.9', 1)
        ) AS attempt (key, wait)
    """)

    found = screen()

    assert found["schema"] == f"gatehouse {HEAD}, the newest"
    assert found["database"].startswith("PostgreSQL ")
    assert ", the primary, " in found["database"]
    assert found["replica"] == "none"
    assert found["sessions"] == "2 live"
    assert found["accounts"] == "1, 1 of them active super admins"
    waiting = "alice from 192.0.2.1, 2001:db8:1:2::, 192.0.2.9"
    assert found["throttled"] == f"1 accounts and 2 addresses have to wait: {waiting}"
    assert found["audit"].startswith("oldest event 20")
    assert len(found) == 8


def test_programs_read_the_same_as_json(gatehouse: Gatehouse) -> None:
    found = json.loads(gatehouse("status", "--json").out)

    assert found["schema"]["gatehouse"] == {"revision": HEAD, "newest_known": HEAD, "age": "newest"}
    assert found["sessions"] == {"live": 0}
    assert found["accounts"] == {"accounts": 0, "active_super_admins": 0}


def test_more_than_a_limit_is_estimated(
    screen: Screen, own_owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_owner.execute("""
        INSERT INTO users (id, username, role, is_active, password_hash, must_change_password, created_at, updated_at)
        SELECT gen_random_uuid(), 'user' || n, 'user', true, '', false, now(), now() FROM generate_series(1, 1200) AS n
    """)
    own_owner.execute("ANALYZE users")
    monkeypatch.setattr(status, "LIMIT", 1000)

    assert screen()["accounts"] == "about 1,200, 0 of them active super admins"


def test_a_database_without_a_schema_is_told_and_all_else_is_there(
    screen: Screen, create_database: CreateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEHOUSE_POSTGRES__URL", create_database("status_empty", template="template0"))

    found = screen()

    assert found["schema"] == f"gatehouse none, older than {HEAD}: run `gatehouse migrate`"
    assert found["database"].startswith("PostgreSQL ")
    for section in ("sessions", "accounts", "throttled", "audit"):
        assert found[section] == "is not there: run `gatehouse migrate`"


def test_a_database_that_is_away_is_one_line(gatehouse: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOUSE_POSTGRES__URL", NOWHERE)

    code, out, err = gatehouse("status")

    assert (code, out) == (1, "")
    assert err.startswith("gatehouse: No connection to the database: ")
    assert err.count("\n") == 1


@pytest.mark.promise("R1")
async def test_a_database_that_says_nothing_from_the_middle_on_is_told(
    own_url: str, own_owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_connection, "ANSWER_WITHIN_SECONDS", 0.5)
    waits = "SELECT FROM pg_stat_activity WHERE application_name = 'gatehouse status' AND wait_event_type = 'Lock'"

    async def is_waiting() -> bool:
        return own_owner.execute(waits).fetchone() is not None

    with psycopg.connect(own_url) as locking:
        locking.execute("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE")
        async with run_proxy(own_url) as proxy, asyncio.timeout(20):
            reading = asyncio.create_task(asyncio.to_thread(read_status, proxy.url, "", MODULES))
            await until(is_waiting)
            proxy.fall_silent()
            locking.rollback()
            found = dict(line.split(":", 1) for line in (await reading).lines())

    assert found["schema"].strip() == f"gatehouse {HEAD}, the newest"
    assert found["sessions"].strip() == "is not answered by the database"


def test_a_replica_that_is_away_is_told_in_its_line(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOUSE_POSTGRES__REPLICA_URL", NOWHERE)

    found = screen()

    assert found["replica"].startswith("No connection to the database: ")
    assert found["sessions"] == "0 live"


def test_what_is_named_as_the_replica_and_is_none_is_told(
    screen: Screen, own_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEHOUSE_POSTGRES__REPLICA_URL", own_url)

    assert screen()["replica"] == "is no replica: it replays nothing"


def audit_line(url: str) -> str:
    return dict(line.split(":", 1) for line in read_status(url, "", MODULES).lines())["audit"].strip()


def test_the_audit_trail_shows_its_partitions_as_they_are_kept(own_url: str, own_owner: psycopg.Connection) -> None:
    own_owner.execute(EVENT, ["2026-12-31 23:30Z"])
    with open_owner(own_url).connect() as connection:
        connection.exec_driver_sql("SET TimeZone = 'UTC'")
        found = find_partitions(connection)

    assert audit_line(own_url) == (
        f"oldest event 2026-12-31 23:30 UTC; {len(found)} partitions, made until {found[-1].since:%Y-%m-%d}, "
        "the oldest audit_events_first"
    )


def test_an_audit_trail_in_partitions_shows_the_oldest_wherever_the_database_is(
    create_database: CreateDatabase,
) -> None:
    settings = "-c TimeZone=America/New_York -c DateStyle=German"
    url = make_conninfo(create_database("status_partitions"), options=settings)
    with psycopg.connect(url) as owner:
        owner.execute("""
            ALTER TABLE audit_events RENAME TO before;
            CREATE TABLE audit_events (LIKE before) PARTITION BY RANGE (at);
            CREATE TABLE rest PARTITION OF audit_events FOR VALUES FROM ('2026-03-01Z') TO (MAXVALUE);
            CREATE TABLE february PARTITION OF audit_events FOR VALUES FROM ('2026-02-01Z') TO ('2026-03-01Z');
            CREATE TABLE january PARTITION OF audit_events FOR VALUES FROM (MINVALUE) TO ('2026-02-01Z');
        """)

    assert audit_line(url) == "oldest event none yet; 3 partitions, made until 2026-03-01, the oldest january"
    with psycopg.connect(url) as owner:
        owner.execute(EVENT, ["2026-01-31 23:30Z"])
    assert audit_line(url).startswith("oldest event 2026-01-31 23:30 UTC; ")


def test_partitions_of_another_kind_are_told_in_the_line(create_database: CreateDatabase) -> None:
    url = create_database("status_default_partition")
    with psycopg.connect(url) as owner:
        owner.execute("CREATE TABLE others PARTITION OF audit_events DEFAULT")

    assert audit_line(url) == "others has other bounds than two times: DEFAULT. Detach it from audit_events."


def test_a_trail_without_partitions_is_told_as_such(create_database: CreateDatabase) -> None:
    url = create_database("status_no_partitions")
    with psycopg.connect(url) as owner:
        owner.execute("ALTER TABLE audit_events RENAME TO before; CREATE TABLE audit_events (LIKE before)")

    assert audit_line(url) == "oldest event none yet; not partitioned"
