"""What the use cases need from outside. Each is a plain noun; its adapter says the technology (`SqlUsers`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from typing_extensions import deprecated

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.domain.session import Session
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username


class Users(Protocol):
    """The command side's view of accounts: whole entities. Only usable inside a transaction."""

    async def add(self, user: User) -> None:
        """Raises UsernameTakenError."""

    async def save(self, user: User) -> None: ...

    async def erase(self, user: User, now: datetime) -> None:
        """Leaves nothing of the user but the id and the pseudonym, to which rows of other modules refer. Nobody finds
        or locks it any more. The user is locked.
        """

    async def find(self, username: Username) -> User | None:
        """Takes no lock. Before a command writes, it must decide again on the locked user."""

    async def lock(self, username: Username) -> User | None: ...

    async def lock_with_actor(self, actor_id: UUID, username: Username) -> tuple[User | None, User | None]:
        """The actor and the named user, locked in order of id, so that two who act on each other never deadlock."""

    async def lock_by_id(self, user_id: UUID) -> User | None: ...

    @deprecated("use lock_by_id")
    async def lock_for_login(self, user_id: UUID) -> User | None: ...

    async def lock_with_active_super_admins(self, username: Username) -> tuple[User | None, list[User]]:
        """The named user and all active super admins, locked in order of id."""


@dataclass(frozen=True, slots=True)
class EndedSessions:
    """How many sessions ended, and the key of the last one that was looked at: None where there was none any more."""

    ended: int
    last: bytes | None


class Sessions(Protocol):
    """Logged-in browsers, on the same transaction as `Users`."""

    async def add(self, session: Session, *, keep: int) -> None:
        """Adds it, and ends the user's oldest sessions, so that at most `keep` remain. The caller has locked the
        user.
        """

    async def end(self, session_id: UUID, *, user_id: UUID) -> bool:
        """Returns whether that user had such a session."""

    async def replace_secret(self, session_id: UUID, *, user_id: UUID, secret_hash: bytes) -> datetime | None:
        """Opens the session to another secret, and no longer to the one before. Returns the end of its absolute
        lifetime, or None if that user has no such session.
        """

    async def end_all_of(self, user_id: UUID, *, but: UUID | None = None) -> int:
        """Ends all sessions of the user except `but`, and returns how many."""

    async def end_batch(self, *, opened_until: datetime, after: bytes) -> EndedSessions:
        """Of all users' sessions, in the order of their keys, ends those of the next ones that are old enough."""


class ErasedNames(Protocol):
    """Names of erased accounts, which nobody takes: whoever did would be taken for their former holders. On the same
    transaction as `Users`.
    """

    async def keep(self, username: Username) -> None: ...

    async def ensure_free(self, username: Username) -> None:
        """Raises UsernameTakenError. Comes after `Users.add`, which waits for an erasure that goes on meanwhile."""

    async def find_kept(self, usernames: Sequence[Username]) -> set[Username]:
        """Those of them that are not free. Many at once."""


@dataclass(frozen=True, slots=True)
class ForgottenAttempts:
    """What was counted under one key, and how long the next attempt had to wait, if at all. Without a username it was
    counted for the address alone.
    """

    kind: str
    username: str | None
    address: str
    count: int
    next_at: datetime


class CountedAttempts(Protocol):
    """What the throttle has counted, on the same transaction as `Users`."""

    async def forget(self, *, username: Username | None, address: str | None) -> list[ForgottenAttempts]:
        """All that was counted for that user, from any address, or for that address, with any user."""


class ExpiredRows(Protocol):
    async def purge_batch(self, now: datetime) -> int:
        """Deletes a batch of expired rows and returns how many: 0 if none is left, or if another process is purging."""


@dataclass(frozen=True, slots=True)
class LiveSession:
    identity: Identity
    last_seen_at: datetime


class LiveSessions(Protocol):
    """The fast path of authentication, outside any transaction."""

    async def find(self, secret_hash: bytes, now: datetime) -> LiveSession | None:
        """The unexpired session of an active user, in one read."""

    async def renew(self, secret_hash: bytes, *, seen_at: datetime, if_unseen_since: datetime) -> None:
        """Extends the idle timeout, at most once for any number of parallel calls. Never raises: a request must not
        fail because its session could not be extended.
        """


class SessionTokens(Protocol):
    """The signed form in which a session's secret travels."""

    def encode(self, secret: str, *, issued_at: datetime, expires_at: datetime) -> str: ...

    def decode(self, token: str) -> str | None:
        """The secret, or None for a token that is forged, malformed or expired."""


class AttemptKind(StrEnum):
    ACCOUNT = "account"
    """Passwords for one account, from one address."""
    ADDRESS = "address"
    """Passwords for any account."""
    SIGN_UP = "sign_up"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is counted: a key, and how many attempts are free before the next one has to wait."""

    key: str
    free: int
    kind: AttemptKind = AttemptKind.ADDRESS


class Throttle(Protocol):
    """A rate limit: counts attempts, for all processes together. Call it outside of a transaction."""

    async def count(self, *attempts: Attempt) -> None:
        """Counts all of them, before they are made. Raises ThrottledError, and counts none, if one of them has to
        wait.
        """

    async def refund(self, *attempts: Attempt) -> None:
        """Takes attempts back that were no guesses."""

    async def reset(self, attempt: Attempt) -> None: ...


class PasswordStrength(Protocol):
    """Work for a core, so it runs off the event loop, apart from hashing, and shared among clients like it.

    Raises UnavailableError when more work is waiting than can be done in good time.
    """

    async def find_weakness(self, password: str, username: str, *, client: str) -> str | None:
        """Why the password is easy to guess, for its owner to read, or None."""


class PasswordHasher(Protocol):
    """Slow on purpose, so it runs off the event loop. Call it outside of a transaction: it must hold no connection.

    `client` is whose work it is: each client has a fair share of the hasher, however much it asks for. Raises
    UnavailableError when more work is waiting than can be done in good time.
    """

    async def hash(self, password: str, *, client: str) -> str: ...

    async def verify(self, password: str, password_hash: str | None, *, client: str) -> bool:
        """Without a hash it verifies a dummy hash and returns False, so that timing does not show which users exist."""

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it was made with a pepper or a work factor that is no longer the present one."""


class Obstacle(StrEnum):
    """Why an account is not added, as far as the database knows."""

    PRESENT = "present"
    """It is there already: an account has its name and its id."""
    NAME_TAKEN = "name taken"
    NAME_KEPT = "name kept"
    """It was that of an erased account."""
    ID_TAKEN = "id taken"
    ID_ERASED = "id erased"
    """It is that of an erased account."""


class UserBatches(Protocol):
    """Many accounts at once, on the transaction. Names and ids differ within a batch."""

    async def add(self, users: Sequence[User]) -> dict[int, Obstacle]:
        """Adds what nothing stands in the way of. The others, by their places in the batch.

        Raises TransactionConflictError where a parallel transaction took a name meanwhile.
        """

    async def check(self, users: Sequence[User]) -> dict[int, Obstacle]:
        """What `add` would give back. Adds nothing."""


class ImportedHashes(Protocol):
    def to_stored(self, password_hash: str, *, is_peppered: bool) -> str:
        """How the hash is stored until its owner's next login. `is_peppered`: what looks like bare bcrypt is over an
        HMAC with the pepper of the system that it comes from.

        Raises InvalidError for a hash of an unknown kind, for one that a pepper is missing for, and for one that costs
        too much to verify.
        """


class SeenKeys(Protocol):
    """What one import has come across, however much that is, in bounded memory."""

    def find_earlier(self, keys: Sequence[tuple[str | bytes, int]]) -> dict[int, int]:
        """Takes keys with their lines. Gives back each line whose key came earlier, with the first line that had it."""
