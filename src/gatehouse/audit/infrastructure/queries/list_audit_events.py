from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from gatehouse.audit.application.events import AuditEvent, AuditPage, AuditRequest
from gatehouse.common.application.paging import Cursors
from gatehouse.common.application.ports import Clock
from gatehouse.common.domain.audit import Subject
from gatehouse.common.domain.months import begin_of_month
from gatehouse.common.infrastructure.keyset import KeysetList, KeysetPages, KeysetQuery, Window
from gatehouse.common.infrastructure.replica.query_database import QueryDatabase

_LOOK_BACK_MONTHS: Final = (1, 12)
_EARLIEST: Final = datetime(2, 1, 1, tzinfo=UTC)
"""So many months before it there is still a year."""
AUDIT_EVENTS: Final = KeysetList(
    table="audit_events",
    select="id, at, action, outcome, actor, target, ip, request_id, subject_kind, subject_id, subject_label",
    orders={"at": ("at", "id")},
    types={"at": "timestamptz", "id": "uuid"},
    filters={
        "actor": "actor = %(actor)s",
        "target": "target = %(target)s",
        "subject": "subject_id = %(subject)s",
        "action": "action = %(action)s",
        "outcome": "outcome = %(outcome)s",
        "since": "at >= %(since)s",
        "until": "at < %(until)s",
    },
    ranges=frozenset({"since", "until"}),
)


class SqlAuditPages:
    def __init__(self, database: QueryDatabase, cursors: Cursors, clock: Clock) -> None:
        self._pages = KeysetPages(replace(AUDIT_EVENTS, windows=self._windows), database, cursors)
        self._clock = clock

    async def __call__(self, request: AuditRequest) -> AuditPage:
        filters = {name: getattr(request, name) for name in AUDIT_EVENTS.filters}
        page = await self._pages.fetch(KeysetQuery.of(request, "at", **filters), request.cursor, _to_event)
        return AuditPage(page.rows, page.next_cursor)

    def _windows(self, values: Mapping[str, object]) -> Iterator[Window]:
        """First the newest two months, then a year, then all before it: planning for each partition takes PostgreSQL a
        multiple of the time that reading a page takes it, and most pages are full with the first window. Nothing limits
        the newest one but the request: an event from a clock that is ahead is not hidden.
        """
        newest, since, until = self._clock.now(), values.get("since"), values.get("until")
        conditions: tuple[str, ...] = ()
        bounds: dict[str, object] = {}
        if "after_0" in values:
            # PostgreSQL does not prune by the comparison of rows that the cursor is.
            after = datetime.fromisoformat(str(values["after_0"]))
            newest, conditions, bounds = min(newest, after), ("at <= %(below)s",), {"below": after}
        if isinstance(until, datetime):
            newest = max(min(newest, until), _EARLIEST)
        for months in _LOOK_BACK_MONTHS:
            begin = begin_of_month(newest, -months)
            yield Window((*conditions, "at >= %(begin)s"), {**bounds, "begin": begin})
            if isinstance(since, datetime) and since >= begin:
                return
            conditions, bounds = ("at < %(below)s",), {"below": begin}
        yield Window(conditions, bounds)


def _to_event(row: Sequence[Any]) -> AuditEvent:  # psycopg's values: each has its column's type
    event_id, at, action, outcome, actor, target, ip, request_id, kind, subject_id, label, *_ = row
    subject = None if kind is None else Subject(kind, subject_id, label)
    return AuditEvent(event_id, at, action, outcome, actor, target, subject, ip, request_id)
