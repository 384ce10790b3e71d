from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncCursor
from psycopg.rows import RowMaker

from gatehouse.audit.application.queries.list_audit_events import AuditEvent, AuditPage, AuditRequest
from gatehouse.common.application.paging import Cursors
from gatehouse.common.domain.audit import Action, Outcome
from gatehouse.common.infrastructure.replica.read_replica import Reads

_CONDITIONS: Final = {
    "actor": "actor = %(actor)s",
    "target": "target = %(target)s",
    "action": "action = %(action)s",
    "since": "at >= %(since)s",
    "until": "at < %(until)s",
}


class SqlAuditPages:
    def __init__(self, reads: Reads, cursors: Cursors) -> None:
        self._reads = reads
        self._cursors = cursors

    async def __call__(self, request: AuditRequest) -> AuditPage:
        parameters: dict[str, object] = {name: getattr(request, name) for name in _CONDITIONS}
        scope = f"audit {sorted((name, str(value)) for name, value in parameters.items() if value is not None)}"
        conditions = [_CONDITIONS[name] for name, value in parameters.items() if value is not None]
        if request.cursor is not None:
            at, last_id = self._cursors.decode(scope, request.cursor)
            parameters |= {"after_at": datetime.fromisoformat(at), "after_id": UUID(last_id)}
            conditions.append("(at, id) < (%(after_at)s, %(after_id)s)")
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        # One row more than asked for tells whether there is a next page.
        page = f"""
            SELECT id, at, action, outcome, actor, target, ip, request_id
            FROM audit_events {where} ORDER BY at DESC, id DESC LIMIT %(limit)s
        """
        events = await self._reads.fetch_all(page, {**parameters, "limit": request.limit + 1}, _event_row)
        if len(events) <= request.limit:
            return AuditPage(events, None)
        last = events[request.limit - 1]
        return AuditPage(events[: request.limit], self._cursors.encode(scope, (last.at.isoformat(), str(last.id))))


def _event_row(_: AsyncCursor[AuditEvent]) -> RowMaker[AuditEvent]:
    return lambda row: AuditEvent(row[0], row[1], Action(row[2]), Outcome(row[3]), *row[4:])
