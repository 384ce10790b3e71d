"""Gateways of both kinds, and an eye on what the server's connections are doing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, LiteralString, Self
from uuid import UUID

import psycopg
import pytest
from dishka import AsyncContainer

from app.application.ports import LiveSessions, Sessions, Transaction, Users
from app.domain.role import Role
from app.domain.session import Session, SessionLifetime
from app.domain.user import User
from app.domain.username import Username
from app.infrastructure.persistence.database import Database, opened
from app.setup.settings import PostgresSettings, Settings
from tests.conftest import CreateDatabase
from tests.fakes import (
    LIFETIME,
    FakeClock,
    FakeLiveSessions,
    FakeSessions,
    FakeStore,
    FakeTransaction,
    FakeUsers,
)
from tests.integration.stage import Stage, staged


@dataclass
class Gateways:
    """What commands and authentication reach the stored state through, whichever kind it is."""

    transaction: Transaction
    users: Users
    sessions: Sessions
    live_sessions: LiveSessions
    clock: FakeClock
    lifetime: SessionLifetime

    @classmethod
    async def of(cls, scope: AsyncContainer, clock: FakeClock) -> Self:
        """The real ones."""
        return cls(
            await scope.get(Transaction),
            await scope.get(Users),
            await scope.get(Sessions),
            await scope.get(LiveSessions),
            clock,
            await scope.get(SessionLifetime),
        )

    async def add_user(self, username: str, role: Role = Role.USER, *, is_active: bool = True) -> User:
        user = User.create(Username(username), role, f"hash of {username}", self.clock.now())
        user.is_active = is_active
        async with self.transaction:
            await self.users.add(user)
        return user

    async def add_session(self, user: User, secret: str) -> Session:
        session = Session.open(user.id, secret, self.lifetime, self.clock.now())
        async with self.transaction:
            await self.sessions.add(session)
        return session

    async def find(self, username: str) -> User | None:
        async with self.transaction:
            return await self.users.find(Username(username))

    async def is_alive(self, session: Session) -> bool:
        return await self.live_sessions.find(session.secret_hash, self.clock.now()) is not None


@pytest.fixture(params=["fake", "sql"])
async def gateways(
    request: pytest.FixtureRequest, container: AsyncContainer, clock: FakeClock
) -> AsyncIterator[Gateways]:
    """One contract, two kinds: what the fake promises to unit tests, PostgreSQL keeps."""
    clock.at = clock.at.replace(microsecond=0)
    if request.param == "fake":
        store = FakeStore()
        transaction = FakeTransaction(store)
        live_sessions = FakeLiveSessions(store, LIFETIME)
        yield Gateways(transaction, FakeUsers(transaction), FakeSessions(transaction), live_sessions, clock, LIFETIME)
        return
    await (await container.get(Database)).execute("DELETE FROM users", {})
    async with container() as scope:
        yield await Gateways.of(scope, clock)


@pytest.fixture(scope="session")
def own_settings(settings: Settings, create_database: CreateDatabase) -> Settings:
    """A database apart from the application's, where connections may be ended and locks held."""
    return replace(settings, postgres=PostgresSettings(url=create_database("own"), pool_size=8))


@pytest.fixture
async def own_url(own_settings: Settings) -> str:
    """Of that database, emptied."""
    url = own_settings.postgres.url
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("DELETE FROM users")
    return url


@pytest.fixture
async def small_pool(own_url: str) -> AsyncIterator[Database]:
    """A pool of one connection: whoever does not give it back keeps everybody out."""
    async with opened(own_url, 1) as pool:
        yield pool


class Observer:
    """A connection of its own, which sees and ends what the others do."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection

    @classmethod
    async def connect(cls, url: str) -> Self:
        return cls(await psycopg.AsyncConnection.connect(url, autocommit=True))

    async def close(self) -> None:
        await self._connection.close()

    async def execute(self, sql: LiteralString, *values: object) -> None:
        await self._connection.execute(sql, values)

    @asynccontextmanager
    async def transaction(self, sql: LiteralString, *values: object) -> AsyncIterator[None]:
        """Keeps what the statement locks until the end of the block."""
        async with self._connection.transaction():
            await self._connection.execute(sql, values)
            yield

    async def waits(self) -> list[tuple[str | None, str | None]]:
        """For each of the application's connections to this database, the kind and the name of what it waits for."""
        return await (await self._connection.execute(_WAITS)).fetchall()

    async def until_waiting_for_a_lock(self, connections: int = 1) -> None:
        async def are_waiting() -> bool:
            return [kind for kind, _ in await self.waits()].count("Lock") == connections

        await until(are_waiting)

    async def until_asleep(self) -> None:
        async def is_asleep() -> bool:
            return "PgSleep" in [name for _, name in await self.waits()]

        await until(is_asleep)

    async def terminate_all(self) -> None:
        await self._connection.execute(_TERMINATE)

    async def sessions_of(self, user_id: UUID) -> int:
        rows = await self._connection.execute("SELECT 1 FROM sessions WHERE user_id = %s", [user_id])
        return len(await rows.fetchall())

    async def user(self, username: str) -> dict[str, object]:
        """The stored row, empty where there is none."""
        cursor = self._connection.cursor(row_factory=psycopg.rows.dict_row)
        return await (await cursor.execute("SELECT * FROM users WHERE username = %s", [username])).fetchone() or {}


_WAITS: Final = """
    SELECT wait_event_type, wait_event FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'gatehouse'
"""
_TERMINATE: Final = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'gatehouse'
"""


@pytest.fixture
async def observer(own_url: str) -> AsyncIterator[Observer]:
    observer = await Observer.connect(own_url)
    yield observer
    await observer.close()


@pytest.fixture
async def stage(own_settings: Settings, own_url: str) -> AsyncIterator[Stage]:
    assert own_url == own_settings.postgres.url
    async with staged(own_settings) as stage:
        yield stage


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  # what goes on in the server sets no event here
            await asyncio.sleep(0.005)
