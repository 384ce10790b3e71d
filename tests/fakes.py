"""In-memory stand-ins for the ports. The gateways among them pass the same contract suite as the SQL ones."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import get_type_hints
from uuid import UUID

from uuid6 import uuid7

from app.application.account import Account
from app.application.identity import Identity
from app.application.ports import (
    Clock,
    LiveSession,
    LiveSessions,
    PasswordHasher,
    Sessions,
    SessionTokens,
    Transaction,
    Users,
)
from app.application.queries.get_me import AccountById
from app.application.queries.get_user import AccountByUsername
from app.application.queries.list_users import SortingOrder, UserList, UserListRequest, UserPages
from app.domain.errors import UsernameTakenError
from app.domain.password import PasswordPolicy
from app.domain.role import Role
from app.domain.session import Session, SessionLifetime
from app.domain.user import User
from app.domain.username import Username

PASSWORD = "correct horse battery staple"
LIFETIME = SessionLifetime(idle=timedelta(minutes=30), absolute=timedelta(hours=12))


@dataclass
class FakeClock:
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        self.at += by


class FakePasswordHasher:
    """Calls `meanwhile` at each piece of work, for what happens elsewhere during it. Insists on no open transaction."""

    def __init__(
        self, transaction: "FakeTransaction | None" = None, meanwhile: Callable[[], None] = lambda: None
    ) -> None:
        self.verified: list[str | None] = []
        self.meanwhile = meanwhile
        self._transaction = transaction

    async def hash(self, password: str) -> str:
        self._work()
        return f"hash of {password}"

    async def verify(self, password: str, password_hash: str | None) -> bool:
        self._work()
        self.verified.append(password_hash)
        return password_hash == f"hash of {password}"

    def _work(self) -> None:
        assert self._transaction is None or not self._transaction.is_open, "hashing holds no transaction"
        self.meanwhile()


class FakeSessionTokens:
    def encode(self, secret: str, *, issued_at: datetime, expires_at: datetime) -> str:
        assert issued_at < expires_at
        return f"token of {secret}"

    def decode(self, token: str) -> str | None:
        return token.removeprefix("token of ") if token.startswith("token of ") else None


@dataclass
class FakeStore:
    """What a database would hold."""

    users: dict[UUID, User] = field(default_factory=dict)
    sessions: dict[UUID, Session] = field(default_factory=dict)


class FakeTransaction:
    """Rolls the store back on an exception, and insists on being open when a gateway is used."""

    def __init__(self, store: FakeStore) -> None:
        self._store = store
        self._before: FakeStore | None = None

    async def __aenter__(self) -> None:
        assert self._before is None, "transactions do not nest"
        self._before = deepcopy(self._store)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._before is not None
        if kind is not None:
            self._store.users, self._store.sessions = self._before.users, self._before.sessions
        self._before = None

    @property
    def is_open(self) -> bool:
        return self._before is not None

    @property
    def store(self) -> FakeStore:
        assert self._before is not None, "command gateways work inside a transaction only"
        return self._store


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

    async def find(self, username: Username) -> User | None:
        users = self._transaction.store.users.values()
        return deepcopy(next((user for user in users if user.username == username), None))

    async def lock(self, username: Username) -> User | None:
        return await self.find(username)

    async def lock_for_login(self, user_id: UUID) -> User | None:
        return deepcopy(self._transaction.store.users.get(user_id))

    async def lock_actor(self, actor_id: UUID) -> User | None:
        return deepcopy(self._transaction.store.users.get(actor_id))

    async def lock_with_actor(self, actor_id: UUID, username: Username) -> tuple[User | None, User | None]:
        return await self.lock_actor(actor_id), await self.find(username)

    async def lock_with_active_super_admins(self, username: Username) -> tuple[User | None, list[User]]:
        users = self._transaction.store.users.values()
        active = deepcopy([user for user in users if user.role is Role.SUPER_ADMIN and user.is_active])
        return await self.find(username), active


class FakeSessions:
    def __init__(self, transaction: FakeTransaction) -> None:
        self._transaction = transaction

    async def add(self, session: Session) -> None:
        self._transaction.store.sessions[session.id] = session

    async def end(self, session_id: UUID) -> None:
        self._transaction.store.sessions.pop(session_id, None)

    async def end_all_of(self, user_id: UUID, *, but: UUID | None = None) -> None:
        sessions = self._transaction.store.sessions
        for session in list(sessions.values()):
            if session.user_id == user_id and session.id != but:
                del sessions[session.id]


class FakeLiveSessions:
    def __init__(self, store: FakeStore, lifetime: SessionLifetime) -> None:
        self._store = store
        self._lifetime = lifetime

    async def find(self, secret_hash: bytes, now: datetime) -> LiveSession | None:
        for session in self._store.sessions.values():
            user = self._store.users[session.user_id]
            alive = session.idle_expires_at > now and session.expires_at > now and user.is_active
            if session.secret_hash == secret_hash and alive:
                return LiveSession(Identity(user.id, session.id, user.role), session.last_seen_at)
        return None

    async def renew(self, secret_hash: bytes, *, seen_at: datetime, if_unseen_since: datetime) -> None:
        for session in self._store.sessions.values():
            if session.secret_hash == secret_hash and session.last_seen_at <= if_unseen_since:
                renewed = Session(
                    id=session.id,
                    secret_hash=session.secret_hash,
                    user_id=session.user_id,
                    created_at=session.created_at,
                    last_seen_at=seen_at,
                    idle_expires_at=min(seen_at + self._lifetime.idle, session.expires_at),
                    expires_at=session.expires_at,
                )
                self._store.sessions[session.id] = renewed
                return


class FakeAccountById:
    def __init__(self, store: FakeStore) -> None:
        self._store = store

    async def __call__(self, user_id: UUID) -> Account | None:
        return next((Account.of(user) for user in self._store.users.values() if user.id == user_id), None)


class FakeAccountByUsername:
    def __init__(self, store: FakeStore) -> None:
        self._store = store

    async def __call__(self, username: str) -> Account | None:
        return next((Account.of(user) for user in self._store.users.values() if user.username.value == username), None)


class FakeUserPages:
    def __init__(self, store: FakeStore) -> None:
        self._store = store

    async def __call__(self, request: UserListRequest) -> UserList:
        accounts = [
            Account.of(user)
            for user in self._store.users.values()
            if request.role in (None, user.role) and request.is_active in (None, user.is_active)
        ]
        accounts.sort(
            key=lambda account: (getattr(account, request.sorting_field), account.id),
            reverse=request.sorting_order is SortingOrder.DESC,
        )
        page = accounts[request.offset : request.offset + request.limit]
        return UserList(page, len(accounts) if request.with_total else None)


class World:
    """A small world for unit tests: fakes behind every port, and use cases made from them.

    `world.use(InactivateUser, admin)` is the use case as called by `admin`, whatever ports it asks for.
    """

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = FakeStore()
        self._transaction = FakeTransaction(self.store)
        self.hasher = FakePasswordHasher(self._transaction)
        self._parts: dict[object, object] = {
            Clock: self.clock,
            PasswordHasher: self.hasher,
            PasswordPolicy: PasswordPolicy(),
            SessionLifetime: LIFETIME,
            SessionTokens: FakeSessionTokens(),
            Transaction: self._transaction,
            Users: FakeUsers(self._transaction),
            Sessions: FakeSessions(self._transaction),
            LiveSessions: FakeLiveSessions(self.store, LIFETIME),
            AccountById: FakeAccountById(self.store),
            AccountByUsername: FakeAccountByUsername(self.store),
            UserPages: FakeUserPages(self.store),
        }

    def use[UseCase](self, use_case: type[UseCase], caller: User | None = None) -> UseCase:
        parts = self._parts if caller is None else {**self._parts, Identity: self.identity_of(caller)}
        hints = get_type_hints(use_case)
        return use_case(**{name: parts[hint] for name, hint in hints.items()})

    def identity_of(self, user: User) -> Identity:
        session = next((session for session in self.store.sessions.values() if session.user_id == user.id), None)
        return Identity(user.id, session.id if session else uuid7(), user.role)

    def add_user(self, username: str, role: Role = Role.USER, *, is_active: bool = True) -> User:
        user = User.create(Username(username), role, f"hash of {PASSWORD}", self.clock.now())
        user.is_active = is_active
        self.store.users[user.id] = user
        return deepcopy(user)

    def add_session(self, user: User, secret: str = "a secret") -> Session:
        session = Session.open(user.id, secret, LIFETIME, self.clock.now())
        self.store.sessions[session.id] = session
        return session

    def user(self, username: str) -> User:
        """The stored state of the named user."""
        return next(user for user in self.store.users.values() if user.username == Username(username))

    def sessions_of(self, user: User) -> set[UUID]:
        return {session.id for session in self.store.sessions.values() if session.user_id == user.id}
