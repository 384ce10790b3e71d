from collections.abc import Sequence
from typing import Any, Final

from gatehouse.audit.application.queries.list_audit_events import AuditEvent, AuditPage, AuditRequest
from gatehouse.common.application.paging import Cursors
from gatehouse.common.domain.audit import Subject
from gatehouse.common.infrastructure.keyset import KeysetList, KeysetPages, KeysetQuery
from gatehouse.common.infrastructure.replica.query_database import QueryDatabase

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
        "since": "at >= %(since)s",
        "until": "at < %(until)s",
    },
    ranges=frozenset({"since", "until"}),
)


class SqlAuditPages:
    def __init__(self, database: QueryDatabase, cursors: Cursors) -> None:
        self._pages = KeysetPages(AUDIT_EVENTS, database, cursors)

    async def __call__(self, request: AuditRequest) -> AuditPage:
        filters = {name: getattr(request, name) for name in AUDIT_EVENTS.filters}
        page = await self._pages.fetch(KeysetQuery.of(request, "at", **filters), request.cursor, _to_event)
        return AuditPage(page.rows, page.next_cursor)


def _to_event(row: Sequence[Any]) -> AuditEvent:  # psycopg's values: each has its column's type
    event_id, at, action, outcome, actor, target, ip, request_id, kind, subject_id, label, *_ = row
    subject = None if kind is None else Subject(kind, subject_id, label)
    return AuditEvent(event_id, at, action, outcome, actor, target, subject, ip, request_id)
