"""In-memory stand-ins for the ports of accounts. The gateways pass the same contract suite as the SQL ones."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from typing_extensions import deprecated

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.ports import Attempt, EndedSessions, ForgottenAttempts, LiveSession
from gatehouse.accounts.domain.errors import UsernameTakenError
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.session import Session, SessionLifetime
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.common.domain.errors import ThrottledError, UnauthenticatedError
from gatehouse.testing.fakes import FakeClock, FakeStore, FakeTransaction


class FakePasswordHasher:
    """Calls `meanwhile` at each piece of work, for what happens elsewhere during it. Insists on no open transaction."""

    def __init__(
        self, transaction: "FakeTransaction | None" = None, meanwhile: Callable[[], None] = lambda: None
    ) -> None:
        self.verified: list[str | None] = []
        self.clients: list[str] = []
        self.meanwhile = meanwhile
        self._transaction = transaction

    async def hash(self, password: str, *, client: str) -> str:
        self._work(client)
        return f"hash of {password}"

    async def verify(self, password: str, password_hash: str | None, *, client: str) -> bool:
        self._work(client)
        self.verified.append(password_hash)
        return password_hash in (f"hash of {password}", f"outdated hash of {password}")

    def is_outdated(self, password_hash: str) -> bool:
        return not password_hash.startswith("hash of ")

    def _work(self, client: str) -> None:
        self.clients.append(client)
        assert self._transaction is None or not self._transaction.is_open, "hashing holds no transaction"
        self.meanwhile()


class FakeSessionTokens:
    def encode(self, secret: str, *, issued_at: datetime, expires_at: datetime) -> str:
        assert issued_at < expires_at
        return f"token of {secret}"

    def decode(self, token: str) -> str | None:
        return token.removeprefix("token of ") if token.startswith("token of ") else None


@dataclass
class ErasedAccounts:
    """What is left of them in the store."""

    ids: set[UUID] = field(default_factory=set)
    kept_names: set[Username] = field(default_factory=set)


class FakeUsers:
    def __init__(self, transaction: FakeTransaction) -> None:
        self._transaction = transaction

    async def add(self, user: User) -> None:
        if await self.find(user.username) is not None:
            raise UsernameTakenError
        self._transaction.store.users[user.id] = deepcopy(user)

    async def save(self, user: User) -> None:
        if user.id in self._transaction.store.users:
            self._transaction.store.users[user.id] = deepcopy(user)

    async def erase(self, user: User, now: datetime) -> None:
        assert now >= user.updated_at
        del self._transaction.store.users[user.id]
        self._transaction.store[ErasedAccounts].ids.add(user.id)

    async def find(self, username: Username) -> User | None:
        users = self._transaction.store.users.values()
        return deepcopy(next((user for user in users if user.username == username), None))

    async def lock(self, username: Username) -> User | None:
        return await self.find(username)

    async def lock_by_id(self, user_id: UUID) -> User | None:
        return deepcopy(self._transaction.store.users.get(user_id))

    @deprecated("use lock_by_id")
    async def lock_for_login(self, user_id: UUID) -> User | None:
        return await self.lock_by_id(user_id)

    async def lock_with_actor(self, actor_id: UUID, username: Username) -> tuple[User | None, User | None]:
        return await self.lock_by_id(actor_id), await self.find(username)

    async def lock_with_active_super_admins(self, username: Username) -> tuple[User | None, list[User]]:
        users = self._transaction.store.users.values()
        active = deepcopy([user for user in users if user.role is Role.SUPER_ADMIN and user.is_active])
        return await self.find(username), active


class FakeSessions:
    def __init__(self, transaction: FakeTransaction) -> None:
        self._transaction = transaction

    async def add(self, session: Session, *, keep: int) -> None:
        sessions = self._transaction.store.sessions
        sessions[session.id] = session
        own = [other for other in sessions.values() if other.user_id == session.user_id]
        for surplus in sorted(own, key=lambda other: (other.created_at, other.id), reverse=True)[keep:]:
            del sessions[surplus.id]

    async def end(self, session_id: UUID, *, user_id: UUID) -> bool:
        sessions = self._transaction.store.sessions
        if session_id not in sessions or sessions[session_id].user_id != user_id:
            return False
        del sessions[session_id]
        return True

    async def replace_secret(self, session_id: UUID, *, user_id: UUID, secret_hash: bytes) -> datetime | None:
        sessions = self._transaction.store.sessions
        if session_id not in sessions or sessions[session_id].user_id != user_id:
            return None
        sessions[session_id] = replace(sessions[session_id], secret_hash=secret_hash)
        return sessions[session_id].expires_at

    async def end_all_of(self, user_id: UUID, *, but: UUID | None = None) -> int:
        sessions = self._transaction.store.sessions
        ended = [session.id for session in sessions.values() if session.user_id == user_id and session.id != but]
        for session_id in ended:
            del sessions[session_id]
        return len(ended)

    async def end_batch(self, *, opened_until: datetime, after: bytes) -> EndedSessions:
        """One session at a time."""
        sessions = self._transaction.store.sessions
        following = sorted(session.secret_hash for session in sessions.values() if session.secret_hash > after)
        if not following:
            return EndedSessions(0, None)
        [found] = [session for session in sessions.values() if session.secret_hash == following[0]]
        is_old = found.created_at <= opened_until
        if is_old:
            del sessions[found.id]
        return EndedSessions(int(is_old), found.secret_hash)


class FakeErasedNames:
    def __init__(self, transaction: FakeTransaction) -> None:
        self._transaction = transaction

    async def keep(self, username: Username) -> None:
        self._transaction.store[ErasedAccounts].kept_names.add(username)

    async def ensure_free(self, username: Username) -> None:
        if await self.find_kept([username]):
            raise UsernameTakenError

    async def find_kept(self, usernames: Sequence[Username]) -> set[Username]:
        return self._transaction.store[ErasedAccounts].kept_names.intersection(usernames)


def identity_of(user: User, session_id: UUID) -> Identity:
    return Identity(user.id, session_id, user.username, user.role, user.must_change_password)


class FakeLiveSessions:
    def __init__(self, store: FakeStore, lifetime: SessionLifetime) -> None:
        self._store = store
        self._lifetime = lifetime

    async def find(self, secret_hash: bytes, now: datetime) -> LiveSession | None:
        for session in self._store.sessions.values():
            user = self._store.users[session.user_id]
            alive = session.idle_expires_at > now and session.expires_at > now and user.is_active
            if session.secret_hash == secret_hash and alive:
                return LiveSession(identity_of(user, session.id), session.last_seen_at)
        return None

    async def renew(self, secret_hash: bytes, *, seen_at: datetime, if_unseen_since: datetime) -> None:
        for session in self._store.sessions.values():
            if session.secret_hash == secret_hash and session.last_seen_at <= if_unseen_since:
                idle_expires_at = min(seen_at + self._lifetime.idle, session.expires_at)
                renewed = replace(session, last_seen_at=seen_at, idle_expires_at=idle_expires_at)
                self._store.sessions[session.id] = renewed
                return


class FakeIdentifyAgain:
    """Takes the newest session for that of the request."""

    def __init__(self, store: FakeStore) -> None:
        self._store = store

    async def __call__(self) -> Identity:
        for session in reversed(self._store.sessions.values()):
            user = self._store.users[session.user_id]
            if user.is_active:
                return identity_of(user, session.id)
        raise UnauthenticatedError


class FakeExpiredRows:
    """Deletes one expired session at a time."""

    def __init__(self, store: FakeStore) -> None:
        self._store = store

    async def purge_batch(self, now: datetime) -> int:
        for session in self._store.sessions.values():
            if session.idle_expires_at <= now:
                del self._store.sessions[session.id]
                return 1
        return 0


class FakePasswordStrength:
    """Finds weak what holds the word `weak`."""

    def __init__(self) -> None:
        self.clients: list[str] = []

    async def find_weakness(self, password: str, username: str, *, client: str) -> str | None:
        self.clients.append(client)
        return f"Is weak, {username}." if "weak" in password else None


class FakeCountedAttempts:
    """On what the throttle's fake has counted, which knows no waits."""

    def __init__(self, transaction: FakeTransaction, throttle: "FakeThrottle", clock: FakeClock) -> None:
        self._transaction = transaction
        self._throttle = throttle
        self._clock = clock

    async def forget(self, *, username: Username | None, address: str | None) -> list[ForgottenAttempts]:
        assert self._transaction.is_open
        forgotten = []
        for key, count in list(self._throttle.counts.items()):
            kind, rest = key.split(":", 1)
            first, _, last = rest.partition(":")
            is_of_name = last and (first == "None" or Username.parse(first) is not None)
            name, of = (first, last) if is_of_name else (None, rest)
            if (username is not None and name == username.value) or (address is not None and of == address):
                del self._throttle.counts[key]
                forgotten.append(ForgottenAttempts(kind, name, of, count, self._clock.now()))
        return forgotten


class FakeThrottle:
    """Counts, and refuses when the free attempts are used up. Time does not pass here."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    async def count(self, *attempts: Attempt) -> None:
        if any(self.counts.get(attempt.key, 0) >= attempt.free for attempt in attempts):
            raise ThrottledError(1)
        for attempt in attempts:
            self.counts[attempt.key] = self.counts.get(attempt.key, 0) + 1

    async def refund(self, *attempts: Attempt) -> None:
        for attempt in attempts:
            self.counts[attempt.key] -= 1

    async def reset(self, attempt: Attempt) -> None:
        self.counts.pop(attempt.key, None)
