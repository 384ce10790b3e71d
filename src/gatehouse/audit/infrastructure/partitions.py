"""The partitions of the audit trail: made ahead and, once expired, dropped by the owner (ADR 32).

The first begins at MINVALUE and the last ends at MAXVALUE, so that no insertion fails, however wrong a clock is. Both
are usually empty; between them there is one a month.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection

from gatehouse.common.domain.months import begin_of_month
from gatehouse.common.infrastructure.migration_lines import MigrationError, Report

MONTHS_AHEAD: Final = 24
_FIRST: Final = "audit_events_first"
_LAST: Final = "audit_events_last"
_BOUNDS: Final = re.compile(r"FOR VALUES FROM \((?:MINVALUE|'(\d{4}-\S+ \S+)')\) TO \((?:MAXVALUE|'(\d{4}-\S+ \S+)')\)")
_END_OF_TIME: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""PostgreSQL knows later times, and infinity; Python has hardly any."""
PARTITIONS: Final = """
    SELECT relname, pg_get_expr(relpartbound, oid) FROM pg_class JOIN pg_inherits ON inhrelid = oid
    WHERE inhparent = 'audit_events'::regclass
"""
"""In a transaction with the time zone UTC and dates as ISO 8601 has them."""


@dataclass(frozen=True, slots=True)
class Partition:
    """Of the events from `since`, or the beginning, until `until`, or the end."""

    name: str
    since: datetime | None
    until: datetime | None


def keep_partitions(connection: Connection, report: Report, *, keep_months: int) -> None:
    """With `keep_months` 0 all events are kept. It may be called again after a transaction has lost its lock."""
    with _transaction(connection):
        # Of two clocks the one that is behind: partitions that are made late cost little, events dropped early all.
        now = min(datetime.now(UTC), connection.exec_driver_sql("SELECT now()").scalar_one())
    make_ahead(connection, now)
    if keep_months:
        drop_expired(connection, begin_of_month(now, -keep_months), report)


def find_partitions(connection: Connection) -> list[Partition]:
    return in_order((name, bounds) for name, bounds in connection.exec_driver_sql(PARTITIONS))


def in_order(rows: Iterable[tuple[str, str]]) -> list[Partition]:
    """Raises MigrationError where somebody has attached another kind of partition."""
    found = []
    for name, bounds in rows:
        match = _BOUNDS.fullmatch(bounds)
        if match is None:
            raise MigrationError(f"{name} has other bounds than two times: {bounds}. Detach it from audit_events.")
        since, until = (None if text is None else datetime.fromisoformat(text) for text in match.groups())
        found.append(Partition(name, since, until))
    return sorted(found, key=lambda partition: (partition.since is not None, partition.since))


def make_ahead(connection: Connection, now: datetime) -> None:
    """Puts the months that are missing before the last partition, which is usually empty.

    If it is not, since nobody has migrated for years, it becomes a partition of its own, from its beginning until the
    end of next month, and a new last one is made: no event is moved, and hardly anything read under lock.
    """
    ahead = begin_of_month(now, MONTHS_AHEAD + 1)
    with _transaction(connection):
        *_, last = find_partitions(connection)
        assert last.since is not None  # noqa: S101  # the first is another one
        begin = last.since
        if begin >= ahead:
            return
        newest_before = f"SELECT max(at) FROM {last.name} WHERE at < '{ahead}'"
        is_in_use = begin <= begin_of_month(now, 1) or connection.exec_driver_sql(newest_before).scalar() is not None
        newest = connection.exec_driver_sql(
            f"SELECT least(greatest(max(at), '{now}'), '{_END_OF_TIME}') FROM {last.name}"
        ).scalar_one()
    if is_in_use:
        if newest == _END_OF_TIME:
            raise MigrationError(
                f"No partition can follow {last.name}, which has an event of the year {_END_OF_TIME.year} or later: "
                "correct its `at` as the owner."
            )
        begin = begin_of_month(newest, 2)
        _check_until(connection, last, begin)
    months = list(_months(begin, ahead))
    with _transaction(connection):
        for month in months:
            _create(connection, month.name)
        connection.exec_driver_sql(f"ALTER TABLE audit_events DETACH PARTITION {last.name}")
        if is_in_use:
            _keep_as_past(connection, last, begin)
            _create(connection, _LAST)
        for month in months:
            _attach(connection, month)
        _attach(connection, Partition(_LAST, max(begin, ahead), None))


def drop_expired(connection: Connection, cutoff: datetime, report: Report) -> None:
    """Drops the partitions that end before, and lets an empty one begin at MINVALUE in their place."""
    with _transaction(connection):
        partitions = find_partitions(connection)
        expired = [partition for partition in partitions if partition.until is not None and partition.until <= cutoff]
        if not expired or (len(expired) == 1 and _is_empty(connection, expired[0])):
            return
        first = f"{_FIRST}_new"
        _create(connection, first)
        connection.exec_driver_sql(f"DROP TABLE {', '.join(partition.name for partition in expired)}")
        connection.exec_driver_sql(f"ALTER TABLE {first} RENAME TO {_FIRST}")
        _attach(connection, Partition(_FIRST, None, expired[-1].until))
    report(f"Dropped the audit events before {expired[-1].until:%Y-%m-%d}: [audit] keep_months.")


def _check_until(connection: Connection, partition: Partition, until: datetime) -> None:
    """So that the partition can be attached with that end without being read. What an interrupted attempt has left is
    replaced: a check may refuse events only when their time is at least a month away.
    """
    table = f"ALTER TABLE {partition.name}"
    with _transaction(connection):
        connection.exec_driver_sql(f"{table} DROP CONSTRAINT IF EXISTS {_CHECK}")
        connection.exec_driver_sql(f"{table} ADD CONSTRAINT {_CHECK} CHECK (at < '{until}') NOT VALID")
    with _transaction(connection):
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")  # this lock hinders no insertion
        connection.exec_driver_sql(f"{table} VALIDATE CONSTRAINT {_CHECK}")


_CHECK: Final = "ck_audit_events_until"


def _keep_as_past(connection: Connection, last: Partition, until: datetime) -> None:
    past = Partition(f"audit_events_{last.since:%Y_%m}_to_{begin_of_month(until, -1):%Y_%m}", last.since, until)
    connection.exec_driver_sql(f"ALTER TABLE {last.name} RENAME TO {past.name}")
    _attach(connection, past)
    connection.exec_driver_sql(f"ALTER TABLE {past.name} DROP CONSTRAINT {_CHECK}")


def _months(since: datetime, until: datetime) -> Iterator[Partition]:
    while since < until:
        end = begin_of_month(since, 1)
        yield Partition(f"audit_events_{since:%Y_%m}", since, end)
        since = end


def _create(connection: Connection, name: str) -> None:
    """Before it is attached, so that nobody waits for it: the table is locked only from then on."""
    connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE audit_events INCLUDING ALL)")


def _attach(connection: Connection, partition: Partition) -> None:
    since, until = partition.since, partition.until
    bounds = f"FROM ({f"'{since}'" if since else 'MINVALUE'}) TO ({f"'{until}'" if until else 'MAXVALUE'})"
    connection.exec_driver_sql(f"ALTER TABLE audit_events ATTACH PARTITION {partition.name} FOR VALUES {bounds}")


def _is_empty(connection: Connection, partition: Partition) -> bool:
    return not connection.exec_driver_sql(f"SELECT EXISTS (SELECT FROM {partition.name})").scalar_one()


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    with connection.begin():
        connection.exec_driver_sql("SET LOCAL TimeZone = 'UTC'")
        connection.exec_driver_sql("SET LOCAL DateStyle = 'ISO'")
        yield
