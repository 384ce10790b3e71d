"""Real use cases on a real database, called without HTTP: for races, and for what fails on the way."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from dishka import AsyncContainer, Provider, Scope, from_context, provide
from uuid6 import uuid7

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.ports import PasswordHasher, PasswordStrength, Sessions
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.session import Session
from gatehouse.accounts.domain.user import User
from gatehouse.common.application.ports import Clock, Transaction
from gatehouse.common.domain.request_context import RequestContext
from gatehouse.testing.accounts.fakes import FakePasswordHasher, FakePasswordStrength, identity_of
from gatehouse.testing.fakes import CONTEXT, LIFETIME, FakeClock, make_user, store_users


class UseCase(Protocol):
    async def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


@dataclass
class Harness:
    """Made by `open_harness` in run_app.py."""

    container: AsyncContainer
    clock: FakeClock
    session_ids: dict[UUID, UUID] = field(default_factory=dict, kw_only=True)
    """The session that a caller comes with, where it matters."""

    async def call(self, use_case: type[UseCase], caller: User | None, *args: object, **kwargs: object) -> Any:
        """As one request would: with a scope, a transaction and, when needed, a connection of its own."""
        context = {} if caller is None else {Identity: identity_of(caller, self.session_ids.get(caller.id, uuid7()))}
        async with self.container(context=context) as scope:
            return await (await scope.get(use_case))(*args, **kwargs)

    def start(self, use_case: type[UseCase], caller: User | None, *args: object) -> asyncio.Task[Any]:
        return asyncio.create_task(self.call(use_case, caller, *args))

    async def add_user(self, username: str, role: Role = Role.USER, *, user_id: UUID | None = None) -> User:
        user = make_user(username, role, self.clock.now())
        user.id = user_id or user.id
        async with self.container() as scope:
            await store_users(scope, user)
        return user

    async def add_session(self, user: User, *, is_current: bool = True) -> Session:
        [session] = await self.add_sessions(user, 1, is_current=is_current)
        return session

    async def add_sessions(self, user: User, number: int, *, is_current: bool = True) -> list[Session]:
        """In one transaction. The user comes with the last of them, unless told otherwise."""
        added = [
            Session.open(user.id, str(uuid7()), LIFETIME, RequestContext(), self.clock.now()) for _ in range(number)
        ]
        async with self.container() as scope:
            sessions = await scope.get(Sessions)
            async with await scope.get(Transaction):
                for session in added:
                    await sessions.add(session, keep=LIFETIME.max_per_user)
        if is_current:
            self.session_ids[user.id] = added[-1].id
        return added


class HarnessProvider(Provider):
    """What a request would bring, and passwords that take no time."""

    identity = from_context(Identity, scope=Scope.REQUEST)

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock

    @provide(scope=Scope.APP)
    def clock(self) -> Clock:
        return self._clock

    @provide(scope=Scope.APP)
    def hasher(self) -> PasswordHasher:
        return FakePasswordHasher()

    @provide(scope=Scope.APP)
    def strength(self) -> PasswordStrength:
        return FakePasswordStrength()

    @provide(scope=Scope.REQUEST)
    def request_context(self) -> RequestContext:
        return CONTEXT
