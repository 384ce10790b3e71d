"""The audit trail: changes are recorded in their command's transaction."""

import logging
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import insert
from uuid6 import uuid7

from gatehouse.audit.infrastructure.tables import audit_events
from gatehouse.common.application.ports import Clock
from gatehouse.common.domain.audit import Outcome, Subject
from gatehouse.common.domain.request_context import RequestContext
from gatehouse.common.infrastructure.transaction import SqlTransaction

type Event = dict[str, object]

# Whatever the level of the log: what happened to accounts is never silenced.
audit_log: Final = structlog.wrap_logger(None, wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET))


@dataclass(frozen=True, slots=True)
class AuditEventFactory:
    """Makes events, with the time and the request context."""

    context: RequestContext
    clock: Clock

    def make(
        self, action: str, outcome: Outcome, actor: str | None, target: str | None, subject: Subject | None = None
    ) -> Event:
        return {
            "id": uuid7(),
            "at": self.clock.now(),
            "action": action,
            "outcome": outcome.value,
            "actor": actor,
            "target": target,
            "subject_kind": subject.kind if subject else None,
            "subject_id": subject.id if subject else None,
            "subject_label": subject.label if subject else None,
            "ip": self.context.ip,
            "request_id": self.context.request_id,
        }


class SqlAudit:
    def __init__(self, transaction: SqlTransaction, events: AuditEventFactory) -> None:
        self._transaction = transaction
        self._events = events

    async def record(
        self, action: str, *, actor: str | None, target: str | None = None, subject: Subject | None = None
    ) -> None:
        event = self._events.make(action, Outcome.SUCCEEDED, actor, target, subject)
        await self._transaction.connection.execute(insert(audit_events).values(event))
        self._transaction.after_commit(lambda: log_event(event))


def log_event(event: Event) -> None:
    """Who did what to whom, from where and with what result, for whoever watches the logs."""
    audit_log.info("audit", **{key: str(value) for key, value in event.items() if value is not None})
