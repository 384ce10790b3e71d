"""The application in memory, for unit tests."""

from copy import deepcopy
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.ports import PasswordHasher, Throttle
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.session import Session
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.ports import Clock, FailedAttempts, Transaction
from gatehouse.common.domain.request_context import RequestContext
from gatehouse.testing.accounts.fakes import FakePasswordHasher, FakeThrottle, identity_of
from gatehouse.testing.audit.fakes import FakeFailedAttempts
from gatehouse.testing.fakes import (
    CONTEXT,
    LIFETIME,
    PASSWORD,
    FakeClock,
    FakeStore,
    FakeTransaction,
    Memory,
    make_user,
)
from gatehouse.testing.under_test import all_module_tests, modules_under_test

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class InMemoryApp:
    """Fakes behind every port of every module, and use cases made from them.

    `app.use(InactivateUser, admin)` is the use case as called by `admin`, whatever ports it asks for.
    """

    clock: FakeClock
    store: FakeStore
    transaction: FakeTransaction
    memory: Memory

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.store = FakeStore()
        self.transaction = FakeTransaction(self.store)
        self._parts: dict[object, object] = {
            Clock: self.clock,
            Transaction: self.transaction,
            RequestContext: CONTEXT,
        }
        self.memory = Memory(self.clock, self.store, self.transaction, modules_under_test())
        for tests in all_module_tests():
            self._parts |= tests.fakes(self.memory)
        self.hasher = self.get(PasswordHasher, FakePasswordHasher)
        self.throttle = self.get(Throttle, FakeThrottle)
        self.failed_attempts = self.get(FailedAttempts, FakeFailedAttempts)

    def get[Fake](self, port: object, kind: type[Fake]) -> Fake:
        """What stands behind the port, as the kind that it is known to be."""
        part = self._parts[port]
        assert isinstance(part, kind)
        return part

    @property
    def ports(self) -> frozenset[object]:
        return frozenset(self._parts)

    def part(self, port: object) -> object:
        return self._parts[port]

    def use[UseCase: DataclassInstance](self, use_case: type[UseCase], caller: User | None = None) -> UseCase:
        parts = self._parts if caller is None else {**self._parts, Identity: self.identity_of(caller)}
        return self._made_of(parts, use_case)

    def _made_of[Made: DataclassInstance](self, parts: dict[object, object], kind: type[Made]) -> Made:
        return kind(**{field.name: self._part(parts, field.type) for field in fields(kind)})

    def _part(self, parts: dict[object, object], kind: object) -> object:
        """A port's fake; a plain dataclass over ports, such as `Passwords`, or a use case of the same caller, is made
        of them.
        """
        if kind not in parts and isinstance(kind, type) and is_dataclass(kind):
            return self._made_of(parts, kind)
        return parts[kind]

    def identity_of(self, user: User) -> Identity:
        """As read with the user's first session, which is opened if there is none."""
        session = next((session for session in self.store.sessions.values() if session.user_id == user.id), None)
        return identity_of(user, (session or self.add_session(user)).id)

    def add_user(
        self, username: str, role: Role = Role.USER, *, is_active: bool = True, password: str = PASSWORD
    ) -> User:
        password_hash = f"hash of {password}"
        user = make_user(username, role, self.clock.now(), is_active=is_active, password_hash=password_hash)
        self.store.users[user.id] = user
        return deepcopy(user)

    def add_session(self, user: User, secret: str = "a secret") -> Session:
        session = Session.open(user.id, secret, LIFETIME, CONTEXT, self.clock.now())
        self.store.sessions[session.id] = session
        return session

    def user(self, username: str) -> User:
        """The stored state of the named user."""
        return next(user for user in self.store.users.values() if user.username == Username(username))

    def sessions_of(self, user: User) -> set[UUID]:
        return {session.id for session in self.store.sessions.values() if session.user_id == user.id}
