"""What the use cases need from outside. Each is a plain noun; its adapter says the technology (`SqlUsers`)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.domain.session import Session
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username


class Users(Protocol):
    """The command side's view of accounts: whole entities. Only usable inside a transaction."""

    async def add(self, user: User) -> None:
        """Raises UsernameTakenError."""

    async def save(self, user: User) -> None: ...

    async def find(self, username: Username) -> User | None:
        """An unlocked look. A decision to write made on it alone does not count."""

    async def lock_for_login(self, user_id: UUID) -> User | None:
        """Holds off inactivation and password change, but no other login, until the transaction ends."""

    async def lock(self, username: Username) -> User | None: ...

    async def lock_with_actor(self, actor_id: UUID, username: Username) -> tuple[User | None, User | None]:
        """The actor and the named user, locked in one order (by id) so that two who lock each other never deadlock."""

    async def lock_by_id(self, user_id: UUID) -> User | None: ...

    async def lock_with_active_super_admins(self, username: Username) -> tuple[User | None, list[User]]:
        """The named user and all active super admins, in that same order."""


class Sessions(Protocol):
    """Logged-in browsers, on the same transaction as `Users`."""

    async def add(self, session: Session, *, keep: int) -> None:
        """Ends the user's oldest sessions beyond the number to keep, the new one included."""

    async def end(self, session_id: UUID, *, user_id: UUID) -> bool:
        """Whether that user had such a session."""

    async def end_all_of(self, user_id: UUID, *, but: UUID | None = None) -> int:
        """Ends the user's sessions, all but the one whose id is given; how many there were."""


class ExpiredRows(Protocol):
    async def purge_batch(self, now: datetime) -> int:
        """Deletes some rows that have had their time; 0 when none is left or another process is at it."""


@dataclass(frozen=True, slots=True)
class LiveSession:
    identity: Identity
    last_seen_at: datetime


class LiveSessions(Protocol):
    """The fast path of authentication, outside any transaction."""

    async def find(self, secret_hash: bytes, now: datetime) -> LiveSession | None:
        """The unexpired session of an active user, in one read."""

    async def renew(self, secret_hash: bytes, *, seen_at: datetime, if_unseen_since: datetime) -> None:
        """Moves the idle expiry, at most once for any number of parallel calls. Never raises: a request must not
        fail because it could not prolong its session.
        """


class SessionTokens(Protocol):
    """The signed form in which a session's secret travels."""

    def encode(self, secret: str, *, issued_at: datetime, expires_at: datetime) -> str: ...

    def decode(self, token: str) -> str | None:
        """The secret, or None for a token that is forged, malformed or expired."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is counted: a key, and how often it may happen before it has to wait."""

    key: str
    free: int


class Throttle(Protocol):
    """Counts attempts, shared by all processes. Call it outside a transaction."""

    async def count(self, *attempts: Attempt) -> None:
        """Counts all of them at once, before the work they stand for. Raises ThrottledError and counts none, if one
        of them has to wait.
        """

    async def refund(self, *attempts: Attempt) -> None:
        """The attempts were no guesses after all."""

    async def reset(self, attempt: Attempt) -> None: ...


class PasswordStrength(Protocol):
    async def find_weakness(self, password: str, username: str) -> str | None:
        """Why the password is easy to guess, for its owner to read, or None."""


class PasswordHasher(Protocol):
    """Slow on purpose, so it runs off the event loop. Call it outside a transaction: it must hold no connection.

    Raises UnavailableError when more work is waiting than can be done in good time.
    """

    async def hash(self, password: str) -> str: ...

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Without a hash it does the same work for nothing and says False: a missing user must not answer sooner."""

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it was made with a pepper or a work factor that is no longer the present one."""
