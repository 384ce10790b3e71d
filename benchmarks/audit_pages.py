"""What a page of the audit trail costs at ten thousand events and at many, in one run:

    PYTHONPATH=. .venv/bin/python -m benchmarks.audit_pages --events 10000000

Ratios count, seconds only illustrate. The events of the larger trail lie in 96 months, those of the smaller one in the
last; both have the partitions that `gatehouse migrate` makes. What was loaded stays, and is used again; 100 million
events take 56 GB and hours. `--drop` removes it.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg
from psycopg.conninfo import make_conninfo

from benchmarks.database import SERVER_ROLE, embedded_server
from gatehouse.audit.application.events import AuditPages, AuditRequest
from gatehouse.audit.infrastructure.partitions import MONTHS_AHEAD
from gatehouse.audit.infrastructure.queries.list_audit_events import SqlAuditPages
from gatehouse.common.application.write_position import WritePosition
from gatehouse.common.domain.audit import Outcome
from gatehouse.common.domain.months import begin_of_month
from gatehouse.common.infrastructure.clock import SystemClock
from gatehouse.common.infrastructure.cursors import SignedCursors
from gatehouse.common.infrastructure.database import open_database
from gatehouse.common.infrastructure.migrations import migrate
from gatehouse.common.infrastructure.replica.query_database import QueryDatabase
from gatehouse.common.presentation.cli.progress import ProgressReport
from gatehouse.setup.modules import MODULES

SMALL: Final = 10_000
MONTHS: Final = 96
ROUNDS: Final = 60
TARGET: Final = 1.5
NOW: Final = datetime.now(UTC)
# Of thirty actions one is done by everybody all the time; one event in fifty did not succeed; fifty actors.
EVENTS: Final = """
    SELECT gen_random_uuid(), %(since)s + (%(until)s - %(since)s) * ((n - 1)::float8 / %(events)s),
        CASE WHEN n %% 10 < 7 THEN 'log_in' ELSE 'action_' || n %% 29 END,
        CASE WHEN n %% 50 = 0 THEN 'refused' ELSE 'succeeded' END,
        'user' || mod(n * 7919, 50), CASE WHEN n %% 3 > 0 THEN 'user' || mod(n * 104729, 50) END, 'room',
        (n %% 50)::text, 'A room', '192.0.2.' || n %% 250, gen_random_uuid()::text
    FROM generate_series(1, %(events)s::bigint) AS n
"""
COLUMNS: Final = "id, at, action, outcome, actor, target, subject_kind, subject_id, subject_label, ip, request_id"
REQUESTS: Final = {
    "all": AuditRequest(),
    "actor": AuditRequest(actor="user7"),
    "target": AuditRequest(target="user7"),
    "subject": AuditRequest(subject="7"),
    "action": AuditRequest(action="action_7"),
    "outcome": AuditRequest(outcome=Outcome.REFUSED),
    "outcome, usual": AuditRequest(outcome=Outcome.SUCCEEDED),
    "actor, action": AuditRequest(actor="user7", action="log_in"),
    "target, action": AuditRequest(target="user7", action="log_in"),
}
RARE: Final = AuditRequest(actor="rare.actor")
RARE_YEARS: Final = (1, 6)
RARE_EVENT: Final = """
    INSERT INTO audit_events (id, at, action, outcome, actor)
    VALUES (gen_random_uuid(), %s, 'log_in', 'succeeded', 'rare.actor')
"""


@dataclass(frozen=True, slots=True)
class Trail:
    owner_url: str
    events: int

    @property
    def months(self) -> int:
        return 1 if self.events == SMALL else MONTHS


def prepare(server_url: str, events: int) -> Trail:
    name = f"audit_{events}"
    with psycopg.connect(server_url, autocommit=True) as server:
        if server.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            unfinished = f"{name}_unfinished"
            server.execute(f"DROP DATABASE IF EXISTS {unfinished}".encode())
            server.execute(f"CREATE DATABASE {unfinished}".encode())
            load(Trail(make_conninfo(server_url, dbname=unfinished), events))
            server.execute(f"ALTER DATABASE {unfinished} RENAME TO {name}".encode())
    return Trail(make_conninfo(server_url, dbname=name), events)


def load(trail: Trail) -> None:
    """With the partitions that it would have, had it been migrated every month since the first event."""
    migrate(trail.owner_url, MODULES.migration_lines, server_role=SERVER_ROLE)
    first = begin_of_month(NOW, 1 - trail.months)
    with ProgressReport() as report, psycopg.connect(trail.owner_url, autocommit=True) as owner:
        owner.execute("SET maintenance_work_mem = '512MB'")
        for name in ("audit_events_first", "audit_events_last"):
            owner.execute(f"ALTER TABLE audit_events DETACH PARTITION {name}".encode())
        attach(owner, "audit_events_first", f"FROM (MINVALUE) TO ('{first}')")
        for number in range(trail.months + MONTHS_AHEAD):
            load_month(owner, begin_of_month(first, number), trail.events // trail.months)
            share = min(1.0, (number + 1) / trail.months)
            report.update(round(trail.events * share), share)
        attach(owner, "audit_events_last", f"FROM ('{begin_of_month(NOW, MONTHS_AHEAD + 1)}') TO (MAXVALUE)")
        for years in RARE_YEARS if trail.months > 1 else ():
            owner.execute(RARE_EVENT, [NOW - timedelta(days=365 * years)])
        owner.execute("VACUUM ANALYZE")


def load_month(owner: psycopg.Connection, since: datetime, events: int) -> None:
    """Its indexes are made when it is attached: faster than with each event. Without a log, for the same reason."""
    name, until = f"audit_events_{since:%Y_%m}", begin_of_month(since, 1)
    owner.execute(f"CREATE UNLOGGED TABLE {name} (LIKE audit_events)".encode())
    if since < NOW:
        values = {"since": since, "until": min(until, NOW), "events": events}
        owner.execute(f"INSERT INTO {name} ({COLUMNS}) {EVENTS}".encode(), values)
    attach(owner, name, f"FROM ('{since}') TO ('{until}')")


def attach(owner: psycopg.Connection, name: str, bounds: str) -> None:
    owner.execute(f"ALTER TABLE audit_events ATTACH PARTITION {name} FOR VALUES {bounds}".encode())


async def measure(trails: list[Trail]) -> dict[str, list[float]]:
    """Of each request's first page and of the page behind it, in seconds, for each trail: in turns, and the lower
    quartile, since the machine has other things to do at times.
    """
    seconds: dict[str, list[list[float]]] = {}
    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(open_pages(trail)) for trail in trails]
        for name, request in all_requests():
            timed: list[list[float]] = [[] for _ in trails]
            behind: list[list[float]] = [[] for _ in trails]
            seconds |= {name: timed, f"{name}, 2nd page": behind}
            for _ in range(ROUNDS):
                for place, fetch in enumerate(pages):
                    cursor = await time_page(fetch, request, timed[place])
                    if cursor is not None:
                        await time_page(fetch, replace(request, cursor=cursor), behind[place])
    return {name: [sorted(one)[len(one) // 4] for one in each] for name, each in seconds.items() if all(each)}


def all_requests() -> Iterator[tuple[str, AuditRequest]]:
    for name, request in REQUESTS.items():
        yield name, request
        yield f"{name}, period", replace(request, since=NOW - timedelta(days=9), until=NOW - timedelta(days=2))
    yield "rare actor", RARE


async def time_page(fetch: AuditPages, request: AuditRequest, seconds: list[float]) -> str | None:
    begun = time.perf_counter()
    page = await fetch(request)
    seconds.append(time.perf_counter() - begun)
    return page.next_cursor


@asynccontextmanager
async def open_pages(trail: Trail) -> AsyncIterator[AuditPages]:
    async with open_database(make_conninfo(trail.owner_url, user=SERVER_ROLE), 1) as database:
        cursors = SignedCursors("a secret for the cursors")
        yield SqlAuditPages(QueryDatabase(database, None, WritePosition), cursors, SystemClock())


def show(trails: list[Trail], measured: dict[str, list[float]]) -> None:
    small, large = trails
    print(f"{'':30} {small.events:>13,} {large.events:>13,}    ratio")
    for name, (before, after) in measured.items():
        remark = "" if after <= TARGET * before or name.startswith("rare") else f" more than {TARGET}"
        print(f"{name:30} {before * 1e3:>10.2f} ms {after * 1e3:>10.2f} ms {after / before:>8.2f}{remark}")
    with psycopg.connect(large.owner_url) as owner:
        sizes = "SELECT sum(pg_table_size(relid)), sum(pg_indexes_size(relid)) FROM pg_partition_tree('audit_events')"
        [(table, indexes)] = owner.execute(sizes).fetchall()
    print(f"A million events: {table / large.events:.0f} MB, and {indexes / large.events:.0f} MB of indexes.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--drop", action="store_true", help="remove what was loaded")
    options = parser.parse_args()
    with embedded_server() as server_url:
        trails = [prepare(server_url, events) for events in (SMALL, options.events)]
        show(trails, asyncio.run(measure(trails)))
        if options.drop:
            with psycopg.connect(server_url, autocommit=True) as server:
                for trail in trails:
                    server.execute(f"DROP DATABASE audit_{trail.events}".encode())


if __name__ == "__main__":
    main()
