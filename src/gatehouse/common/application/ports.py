"""What use cases of every module need from outside. Each is a plain noun; its adapter says the technology."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from gatehouse.common.domain.audit import Subject


class Clock(Protocol):
    def now(self) -> datetime:
        """The present, in UTC."""


class Transaction(AbstractAsyncContextManager[None], Protocol):
    """A unit of work: leaving it commits, an exception rolls back. Reusable; holds a connection only while inside."""


class Caller(Protocol):
    """Who makes this request, as far as every module needs to know. The accounts module knows more: `Identity`."""

    @property
    def name(self) -> str:
        """The username, for the audit trail."""

    def ensure_password_is_own(self) -> None:
        """Raises PasswordChangeRequiredError where an admin chose the password."""


class Audit(Protocol):
    """An append-only record, on the same transaction as the change it records: both happen, or neither.

    `actor` and `target` are usernames; `subject` is what was acted on where that is no user, or not the user alone.
    """

    async def record(
        self, action: str, *, actor: str | None, target: str | None = None, subject: Subject | None = None
    ) -> None: ...


class ErasableTrail(Protocol):
    """The one change to what was recorded, on the same transaction as the erasure of an account."""

    async def erase(self, username: str, pseudonym: str) -> None:
        """Puts the pseudonym in the place of the name, and forgets the addresses from which the account was used. The
        erasure was recorded before, with the pseudonym as its target. What is left of a long trail, or is being
        recorded just now, follows in the background within minutes.
        """


class FailedAttempts(Protocol):
    """Records in the audit trail what did not succeed, in the background: a call neither waits nor raises.

    No number of attempts fills the trail: those beyond a limit are counted, and recorded as one event a minute.
    """

    def record_failed(self, action: str, *, actor: str | None, target: str | None) -> None:
        """A wrong password. `actor` is the caller, who is unknown at a login."""

    def record_refused(self, action: str, *, actor: str, target: str | None) -> None:
        """An act that the caller's role does not allow. `target` is what the caller named, valid or not."""

    def record_throttled(self, action: str, *, address: str) -> None:
        """An attempt that has to wait, since there were too many from this address."""


class Readiness(Protocol):
    async def ensure_ready(self) -> None:
        """Raises UnavailableError unless the database responds soon, with this version's schema or a later one's."""
