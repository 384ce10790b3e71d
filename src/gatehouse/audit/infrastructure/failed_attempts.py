"""Attempts that did not succeed: recorded in the background, since they have no transaction to belong to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from gatehouse.accounts import Username
from gatehouse.audit.infrastructure.attempt_counts import EVENTS_PER_ACTOR, MAX_EVENTS, AttemptCounts, AttemptGroup
from gatehouse.audit.infrastructure.audit_trail import AuditEventFactory, Event, audit_log, log_event
from gatehouse.audit.infrastructure.tables import audit_events
from gatehouse.common.application.background import run_in_background
from gatehouse.common.application.metrics import NO_METRICS, Counter, Metrics
from gatehouse.common.application.ports import Clock
from gatehouse.common.domain.audit import Outcome, Subject
from gatehouse.common.domain.request_context import RequestContext
from gatehouse.common.infrastructure.database import Database

NOT_STORED: Final = Counter(
    name="gatehouse_audit_events_not_stored_total",
    help="Failed, refused and throttled attempts that are in the log alone, and not in the audit trail.",
)
_TICK_SECONDS: Final = 1.0
_QUEUE_LENGTH: Final = 1000
_CLOSING_SECONDS: Final = 3.0
_COLUMNS: Final = tuple(column.name for column in audit_events.columns)
_INSERT: Final = f"""
    INSERT INTO audit_events ({", ".join(_COLUMNS)}) VALUES ({", ".join(f"%({name})s" for name in _COLUMNS)})
"""


class FailureWriter:
    """Writes failures one by one from a bounded queue. If the database is unavailable, they are only in the log."""

    def __init__(self, database: Database, clock: Clock, metrics: Metrics = NO_METRICS) -> None:
        self.counts = AttemptCounts(clock)
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._queue = asyncio.Queue[Event](_QUEUE_LENGTH)

    def put(self, event: Event) -> None:
        log_event(event)
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self._note_loss("too many at once")

    async def flush(self) -> None:
        """Returns when every event in the queue, and what was counted, has been stored or logged as lost."""
        self._end_minute()
        await self._queue.join()

    async def write(self) -> None:
        while True:
            event = await self._queue.get()
            try:
                await self._database.execute(_INSERT, event)
            except Exception as error:  # noqa: BLE001  # whatever it is, the next event may still be written
                self._note_loss(type(error).__name__)
            finally:
                self._queue.task_done()

    def _note_loss(self, reason: str) -> None:
        audit_log.warning("audit_event_not_stored", reason=reason)
        self._metrics.count(NOT_STORED)

    async def end_minutes(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            if self.counts.is_minute_over:
                self._end_minute()

    def _end_minute(self) -> None:
        for group, count in self.counts.end_minute():
            events = AuditEventFactory(RequestContext(ip=group.address), self._clock)
            label = "1 attempt" if count == 1 else f"{count} attempts"
            subject = Subject("attempts", group.address or group.actor or "others", label)
            self.put(events.make(group.action, group.outcome, group.actor, None, subject))


class SqlFailedAttempts:
    def __init__(self, writer: FailureWriter, events: AuditEventFactory) -> None:
        self._writer = writer
        self._events = events

    def record_failed(self, action: str, *, actor: str | None, target: str | None) -> None:
        if self._writer.counts.admit(AttemptGroup(Outcome.FAILED), MAX_EVENTS):
            self._writer.put(self._events.make(action, Outcome.FAILED, actor, target))

    def record_refused(self, action: str, *, actor: str, target: str | None) -> None:
        if self._writer.counts.admit(AttemptGroup(Outcome.REFUSED, actor=actor), EVENTS_PER_ACTOR):
            name = Username.parse(target or "")  # names no user otherwise, and is text of any length
            self._writer.put(self._events.make(action, Outcome.REFUSED, actor, name.value if name else None))

    def record_throttled(self, action: str, *, address: str) -> None:
        self._writer.counts.count(AttemptGroup(Outcome.THROTTLED, action, address=address))


@asynccontextmanager
async def run_failure_writer(
    database: Database, clock: Clock, metrics: Metrics = NO_METRICS
) -> AsyncIterator[FailureWriter]:
    """Writes in the background, and stores what is left in the queue and in the counts before it stops."""
    writer = FailureWriter(database, clock, metrics)
    async with run_in_background(writer.write()), run_in_background(writer.end_minutes()):
        try:
            yield writer
        finally:
            await _flush_before_exit(writer)


async def _flush_before_exit(writer: FailureWriter) -> None:
    try:
        async with asyncio.timeout(_CLOSING_SECONDS):
            await writer.flush()
    except TimeoutError:
        audit_log.warning("audit_events_not_stored", reason="the database is away at the end")
