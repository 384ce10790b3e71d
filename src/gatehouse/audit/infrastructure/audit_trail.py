"""The audit trail: changes are recorded in their command's transaction, failed attempts in the background."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import insert
from uuid6 import uuid7

from gatehouse.audit.infrastructure.tables import audit_events
from gatehouse.common.application.background import run_in_background
from gatehouse.common.application.ports import Clock
from gatehouse.common.domain.audit import Outcome, Subject
from gatehouse.common.domain.request_context import RequestContext
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.infrastructure.transaction import SqlTransaction

_QUEUE_LENGTH: Final = 1000
_CLOSING_SECONDS: Final = 3.0
_COLUMNS: Final = tuple(column.name for column in audit_events.columns)
_INSERT: Final = f"""
    INSERT INTO audit_events ({", ".join(_COLUMNS)}) VALUES ({", ".join(f"%({name})s" for name in _COLUMNS)})
"""

type Event = dict[str, object]

_log = structlog.get_logger()


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
        self._transaction.after_commit(lambda: _log_event(event))


class FailureWriter:
    """Writes failures one by one from a bounded queue. If the database is unavailable, they are only in the log."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue = asyncio.Queue[Event](_QUEUE_LENGTH)

    def put(self, event: Event) -> None:
        _log_event(event)
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            _log.warning("audit_event_not_stored", reason="too many at once")

    async def flush(self) -> None:
        """Returns when every event in the queue has been stored or logged as lost."""
        await self._queue.join()

    async def run(self) -> None:
        while True:
            event = await self._queue.get()
            try:
                await self._database.execute(_INSERT, event)
            except Exception as error:  # noqa: BLE001  # whatever it is, the next event may still be written
                _log.warning("audit_event_not_stored", reason=type(error).__name__)
            finally:
                self._queue.task_done()


class SqlFailedAttempts:
    def __init__(self, writer: FailureWriter, events: AuditEventFactory) -> None:
        self._writer = writer
        self._events = events

    def record(self, action: str, target: str | None) -> None:
        """Records a failed login or a wrong current password: for whose account, from where, and when."""
        self._writer.put(self._events.make(action, Outcome.FAILED, None, target))


@asynccontextmanager
async def run_failure_writer(database: Database) -> AsyncIterator[FailureWriter]:
    """Writes in the background, and stores what is left in the queue before it stops."""
    writer = FailureWriter(database)
    async with run_in_background(writer.run()):
        try:
            yield writer
        finally:
            await _flush_before_exit(writer)


async def _flush_before_exit(writer: FailureWriter) -> None:
    try:
        async with asyncio.timeout(_CLOSING_SECONDS):
            await writer.flush()
    except TimeoutError:
        _log.warning("audit_events_not_stored", reason="the database is away at the end")


def _log_event(event: Event) -> None:
    """Who did what to whom, from where and with what result, for whoever watches the logs."""
    _log.info("audit", **{key: str(value) for key, value in event.items() if value is not None})
