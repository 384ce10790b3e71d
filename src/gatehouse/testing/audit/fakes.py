"""In-memory stand-ins for the audit trail."""

from dataclasses import replace
from datetime import datetime

from uuid6 import uuid7

from gatehouse.accounts.domain.username import Username
from gatehouse.audit.application.events import AuditEvent, AuditPage, AuditRequest
from gatehouse.common.domain.audit import Outcome, Subject
from gatehouse.testing.fakes import FakeClock, FakeEvent, FakeStore, FakeTransaction


class FakeAudit:
    def __init__(self, transaction: FakeTransaction) -> None:
        self._transaction = transaction

    async def record(
        self, action: str, *, actor: str | None, target: str | None = None, subject: Subject | None = None
    ) -> None:
        self._transaction.store.events.append(FakeEvent(action, actor, target, subject=subject))


class FakeErasableTrail:
    """All at once."""

    def __init__(self, transaction: FakeTransaction) -> None:
        self._transaction = transaction

    async def erase(self, username: str, pseudonym: str) -> None:
        events = self._transaction.store.events
        assert any(event.target == pseudonym for event in events), "an erasure is recorded first"
        events[:] = [
            replace(
                event,
                actor=pseudonym if event.actor == username else event.actor,
                target=pseudonym if event.target == username else event.target,
            )
            for event in events
        ]


class FakeUnfinishedErasures:
    """So many batches are left."""

    def __init__(self) -> None:
        self.batches = 0
        self.asked_at: list[datetime] = []

    async def finish_batch(self, now: datetime) -> int:
        self.asked_at.append(now)
        if not self.batches:
            return 0
        self.batches -= 1
        return 1


class FakeFailedAttempts:
    def __init__(self) -> None:
        self.events: list[FakeEvent] = []

    def record_failed(self, action: str, *, actor: str | None, target: str | None) -> None:
        self.events.append(FakeEvent(action, actor, target, Outcome.FAILED))

    def record_refused(self, action: str, *, actor: str, target: str | None) -> None:
        name = Username.parse(target or "")
        self.events.append(FakeEvent(action, actor, name.value if name else None, Outcome.REFUSED))

    def record_throttled(self, action: str, *, address: str) -> None:
        subject = Subject("attempts", address, "1 attempt")
        self.events.append(FakeEvent(action, None, None, Outcome.THROTTLED, subject))


class FakeAuditPages:
    """All events of which the request asks for the actor, the target and the action, on one page."""

    def __init__(self, store: FakeStore, clock: FakeClock) -> None:
        self._store = store
        self._clock = clock

    async def __call__(self, request: AuditRequest) -> AuditPage:
        events = [
            AuditEvent(
                uuid7(),
                self._clock.now(),
                event.action,
                event.outcome,
                event.actor,
                event.target,
                event.subject,
                None,
                None,
            )
            for event in reversed(self._store.events)
            if request.actor in (None, event.actor)
            if request.target in (None, event.target)
            if request.action in (None, event.action)
            if request.outcome in (None, event.outcome)
        ]
        return AuditPage(events, None)
