"""A small app for unit tests."""

from copy import deepcopy
from dataclasses import fields
from typing import TYPE_CHECKING, get_type_hints
from uuid import UUID

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

from uuid6 import uuid7

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.passwords import AttemptLimits, Passwords
from gatehouse.accounts.application.ports import (
    ExpiredRows,
    LiveSessions,
    PasswordHasher,
    PasswordStrength,
    Sessions,
    SessionTokens,
    Throttle,
    Users,
)
from gatehouse.accounts.application.queries.get_me import AccountById
from gatehouse.accounts.application.queries.get_user import AccountByUsername
from gatehouse.accounts.application.queries.list_sessions import LiveSessionViews
from gatehouse.accounts.application.queries.list_users import UserPages
from gatehouse.accounts.domain.password import PasswordPolicy
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.session import Session, SessionLifetime
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.audit.application.queries.list_audit_events import AuditedActions, AuditPages
from gatehouse.common.application.ports import Audit, Clock, FailedAttempts, Transaction
from gatehouse.common.domain.request_context import RequestContext
from gatehouse.setup.modules import MODULES
from tests.fake_queries import (
    FakeAccountById,
    FakeAccountByUsername,
    FakeAuditPages,
    FakeSessionViews,
    FakeUserPages,
)
from tests.fakes import (
    LIFETIME,
    LIMITS,
    PASSWORD,
    FakeAudit,
    FakeClock,
    FakeExpiredRows,
    FakeFailedAttempts,
    FakeLiveSessions,
    FakePasswordHasher,
    FakePasswordStrength,
    FakeSessions,
    FakeSessionTokens,
    FakeStore,
    FakeThrottle,
    FakeTransaction,
    FakeUsers,
    identity_of,
)

ORIGIN = RequestContext(ip="192.0.2.1", user_agent="a browser", request_id="a-request")


class InMemoryApp:
    """A small app for unit tests: fakes behind every port, and use cases made from them.

    `app.use(InactivateUser, admin)` is the use case as called by `admin`, whatever ports it asks for.
    """

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = FakeStore()
        self._transaction = FakeTransaction(self.store)
        self.hasher = FakePasswordHasher(self._transaction)
        self.throttle = FakeThrottle()
        self.failed_attempts = FakeFailedAttempts()
        self._parts: dict[object, object] = {
            Clock: self.clock,
            PasswordHasher: self.hasher,
            PasswordPolicy: PasswordPolicy(15),
            SessionLifetime: LIFETIME,
            SessionTokens: FakeSessionTokens(),
            Transaction: self._transaction,
            Users: FakeUsers(self._transaction),
            Sessions: FakeSessions(self._transaction),
            LiveSessions: FakeLiveSessions(self.store, LIFETIME),
            Audit: FakeAudit(self._transaction),
            Throttle: self.throttle,
            FailedAttempts: self.failed_attempts,
            PasswordStrength: FakePasswordStrength(),
            AttemptLimits: LIMITS,
            RequestContext: ORIGIN,
            LiveSessionViews: FakeSessionViews(self.store, self.clock),
            AccountById: FakeAccountById(self.store),
            AccountByUsername: FakeAccountByUsername(self.store),
            UserPages: FakeUserPages(self.store),
            AuditPages: FakeAuditPages(self.store, self.clock),
            AuditedActions: AuditedActions(MODULES.audited_actions),
            ExpiredRows: FakeExpiredRows(self.store),
        }
        self._parts[Passwords] = self.use(Passwords)

    def use[UseCase: DataclassInstance](self, use_case: type[UseCase], caller: User | None = None) -> UseCase:
        parts = self._parts if caller is None else {**self._parts, Identity: self.identity_of(caller)}
        hints = get_type_hints(use_case)
        return use_case(**{key.name: parts[hints[key.name]] for key in fields(use_case)})

    def identity_of(self, user: User) -> Identity:
        session = next((session for session in self.store.sessions.values() if session.user_id == user.id), None)
        return identity_of(user, session.id if session else uuid7())

    def add_user(
        self, username: str, role: Role = Role.USER, *, is_active: bool = True, password: str = PASSWORD
    ) -> User:
        user = User.create(Username(username), role, f"hash of {password}", self.clock.now())
        user.is_active = is_active
        self.store.users[user.id] = user
        return deepcopy(user)

    def add_session(self, user: User, secret: str = "a secret") -> Session:
        session = Session.open(user.id, secret, LIFETIME, ORIGIN, self.clock.now())
        self.store.sessions[session.id] = session
        return session

    def user(self, username: str) -> User:
        """The stored state of the named user."""
        return next(user for user in self.store.users.values() if user.username == Username(username))

    def sessions_of(self, user: User) -> set[UUID]:
        return {session.id for session in self.store.sessions.values() if session.user_id == user.id}
