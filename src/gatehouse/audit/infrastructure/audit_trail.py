"""The audit trail: in the command's own transaction for what was done, after the answer for what failed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import insert
from uuid6 import uuid7

from gatehouse.accounts.application.ports import Clock
from gatehouse.accounts.domain.username import Username
from gatehouse.accounts.infrastructure.tables import audit_events
from gatehouse.common.domain.audit import Action, Outcome
from gatehouse.common.domain.request_context import Origin
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.infrastructure.transaction import SqlTransaction

_QUEUE_LENGTH: Final = 1000
_CLOSING_SECONDS: Final = 3.0
_INSERT: Final = """
    INSERT INTO audit_events (id, at, action, outcome, actor, target, ip, request_id)
    VALUES (%(id)s, %(at)s, %(action)s, %(outcome)s, %(actor)s, %(target)s, %(ip)s, %(request_id)s)
"""

type Event = dict[str, object]

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Scene:
    """Where and when: what an event has in common with the request that it is part of."""

    origin: Origin
    clock: Clock

    def event(self, action: Action, outcome: Outcome, actor: Username | None, target: Username | None) -> Event:
        return {
            "id": uuid7(),
            "at": self.clock.now(),
            "action": action.value,
            "outcome": outcome.value,
            "actor": actor.value if actor else None,
            "target": target.value if target else None,
            "ip": self.origin.ip,
            "request_id": self.origin.request_id,
        }


class SqlAudit:
    def __init__(self, transaction: SqlTransaction, scene: Scene) -> None:
        self._transaction = transaction
        self._scene = scene

    async def record(self, action: Action, *, actor: Username | None, target: Username | None = None) -> None:
        event = self._scene.event(action, Outcome.SUCCEEDED, actor, target)
        await self._transaction.connection.execute(insert(audit_events).values(event))
        self._transaction.after_commit(lambda: _say(event))


class FailureWriter:
    """Writes failures one by one from a bounded queue. When the database is away they stay in the log alone."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue = asyncio.Queue[Event](_QUEUE_LENGTH)

    def put(self, event: Event) -> None:
        _say(event)
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            _log.warning("audit_event_not_stored", reason="too many at once")

    async def written(self) -> None:
        """Returns when everything put so far has been dealt with."""
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
    def __init__(self, writer: FailureWriter, scene: Scene) -> None:
        self._writer = writer
        self._scene = scene

    def record(self, action: Action, username: Username | None) -> None:
        self._writer.put(self._scene.event(action, Outcome.FAILED, None, username))


@asynccontextmanager
async def running_failure_writer(database: Database) -> AsyncIterator[FailureWriter]:
    """Writes in the background, and what is left at the end before it stops."""
    writer = FailureWriter(database)
    task = asyncio.create_task(writer.run(), context=Context())  # not that of the request which came first
    try:
        yield writer
    finally:
        try:
            async with asyncio.timeout(_CLOSING_SECONDS):
                await writer.written()
        except TimeoutError:
            _log.warning("audit_events_not_stored", reason="the database is away at the end")
        task.cancel()


def _say(event: Event) -> None:
    """Who did what to whom, from where and with what result, for whoever watches the logs."""
    _log.info("audit", **{key: str(value) for key, value in event.items() if value is not None})
