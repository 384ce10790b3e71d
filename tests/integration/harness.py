"""Where races are open_harness: real use cases on real connections, and gates at which one of them can be stopped."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, Self
from uuid import UUID

from dishka import AsyncContainer, Provider, Scope, from_context, provide
from uuid6 import uuid7

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.ports import PasswordHasher, PasswordStrength, Sessions
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.session import Session
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.infrastructure.sessions import SqlSessions
from gatehouse.common.application.ports import Clock, Transaction
from gatehouse.common.domain.request_context import RequestContext
from gatehouse.common.infrastructure.transaction import SqlTransaction
from gatehouse.common.settings import Settings
from gatehouse.setup.container import create_container
from tests.fakes import LIFETIME, FakeClock, make_user, store_user
from tests.modules import TESTED
from tests.modules.accounts.fakes import FakePasswordHasher, FakePasswordStrength, identity_of


class Gate:
    """Open, until it is told to stop the next one who comes."""

    def __init__(self) -> None:
        self._passes: int | None = None
        self._reached = asyncio.Event()
        self._opened = asyncio.Event()

    def stop_next(self, *, after: int = 0) -> None:
        """The one who comes after so many others."""
        self._passes = after

    async def until_reached(self) -> None:
        async with asyncio.timeout(5):
            await self._reached.wait()

    def open(self) -> None:
        self._opened.set()

    def close(self) -> None:
        """To be used again."""
        self._reached.clear()
        self._opened.clear()

    async def pass_through(self) -> None:
        if self._passes is None:
            return
        self._passes -= 1
        if self._passes < 0:
            self._passes = None
            self._reached.set()
            await self._opened.wait()


class GatedPasswordHasher(FakePasswordHasher):
    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self._gate = gate

    async def hash(self, password: str, *, client: str) -> str:
        await self._gate.pass_through()
        return await super().hash(password, client=client)

    async def verify(self, password: str, password_hash: str | None, *, client: str) -> bool:
        await self._gate.pass_through()
        # One with another beginning is outdated, and right all the same.
        return await super().verify(password, password_hash and password_hash.removeprefix("old "), client=client)


class GatedSessions(SqlSessions):
    """The gate is behind the insertion: who is stopped there has written and not committed."""

    def __init__(self, transaction: SqlTransaction, gate: Gate) -> None:
        super().__init__(transaction)
        self._gate = gate

    async def add(self, session: Session, *, keep: int) -> None:
        await super().add(session, keep=keep)
        await self._gate.pass_through()


class TickingClock(FakeClock):
    """Never tells the same time twice."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[datetime] = []

    def now(self) -> datetime:
        self.advance(timedelta(milliseconds=1))
        self.told.append(self.at)
        return self.at


class UseCase(Protocol):
    async def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


@dataclass
class Harness:
    container: AsyncContainer
    clock: TickingClock
    hashing: Gate
    opening_a_session: Gate
    session_ids: dict[UUID, UUID] = field(default_factory=dict)
    """The session that a caller comes with, where it matters."""

    @classmethod
    def bare(cls, container: AsyncContainer) -> Self:
        """On a container of the caller's own, where the clock and the gates are connected to nothing."""
        return cls(container, TickingClock(), Gate(), Gate())

    async def call(self, use_case: type[UseCase], caller: User | None, *args: object) -> Any:
        """As one request would: with a scope, a transaction and, when needed, a connection of its own."""
        context = {} if caller is None else {Identity: identity_of(caller, self.session_ids.get(caller.id, uuid7()))}
        async with self.container(context=context) as scope:
            return await (await scope.get(use_case))(*args)

    def start(self, use_case: type[UseCase], caller: User | None, *args: object) -> asyncio.Task[Any]:
        return asyncio.create_task(self.call(use_case, caller, *args))

    async def add_user(self, username: str, role: Role = Role.USER, *, user_id: UUID | None = None) -> User:
        user = make_user(username, role, self.clock.now())
        user.id = user_id or user.id
        async with self.container() as scope:
            await store_user(scope, user)
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
    """What is put in place of the real thing."""

    identity = from_context(Identity, scope=Scope.REQUEST)

    def __init__(self, clock: TickingClock, hashing: Gate, opening_a_session: Gate) -> None:
        super().__init__()
        self._clock, self._hashing, self._opening_a_session = clock, hashing, opening_a_session

    @provide(scope=Scope.APP)
    def clock(self) -> Clock:
        return self._clock

    @provide(scope=Scope.APP)
    def hasher(self) -> PasswordHasher:
        return GatedPasswordHasher(self._hashing)

    @provide(scope=Scope.APP)
    def strength(self) -> PasswordStrength:
        return FakePasswordStrength()

    @provide(scope=Scope.REQUEST)
    def origin(self) -> RequestContext:
        return RequestContext(ip="192.0.2.1", user_agent="a browser", request_id="a-request")

    @provide(scope=Scope.REQUEST)
    def sessions(self, transaction: SqlTransaction) -> Sessions:
        return GatedSessions(transaction, self._opening_a_session)


@asynccontextmanager
async def open_harness(settings: Settings) -> AsyncIterator[Harness]:
    clock, hashing, opening_a_session = TickingClock(), Gate(), Gate()
    container = create_container(settings, TESTED, HarnessProvider(clock, hashing, opening_a_session))
    try:
        yield Harness(container, clock, hashing, opening_a_session)
    finally:
        await container.close()
