"""Where races are made: real use cases on real connections, and gates at which one of them can be stopped."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from dishka import AsyncContainer, Provider, Scope, provide

from gatehouse.accounts.application.ports import PasswordHasher, Sessions
from gatehouse.accounts.domain.session import Session
from gatehouse.accounts.infrastructure.sessions import SqlSessions
from gatehouse.common.application.ports import Clock
from gatehouse.common.infrastructure.transaction import SqlTransaction
from gatehouse.common.settings import Settings
from gatehouse.testing.accounts.fakes import FakePasswordHasher
from gatehouse.testing.fakes import FakeClock
from gatehouse.testing.harness import Harness as BareHarness
from gatehouse.testing.run_app import open_harness


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


@dataclass
class Harness(BareHarness):
    clock: TickingClock
    hashing: Gate
    opening_a_session: Gate

    @classmethod
    def bare(cls, container: AsyncContainer) -> Self:
        """On a container of the caller's own, where the clock and the gates are connected to nothing."""
        return cls(container, TickingClock(), Gate(), Gate())


class GatesProvider(Provider):
    """What is put in place of the real thing."""

    def __init__(self, clock: TickingClock, hashing: Gate, opening_a_session: Gate) -> None:
        super().__init__()
        self._clock, self._hashing, self._opening_a_session = clock, hashing, opening_a_session

    @provide(scope=Scope.APP)
    def clock(self) -> Clock:
        return self._clock

    @provide(scope=Scope.APP)
    def hasher(self) -> PasswordHasher:
        return GatedPasswordHasher(self._hashing)

    @provide(scope=Scope.REQUEST)
    def sessions(self, transaction: SqlTransaction) -> Sessions:
        return GatedSessions(transaction, self._opening_a_session)


@asynccontextmanager
async def open_gated_harness(settings: Settings) -> AsyncIterator[Harness]:
    parts = TickingClock(), Gate(), Gate()
    async with open_harness(settings, GatesProvider(*parts)) as bare:
        yield Harness(bare.container, *parts)
