"""Gateways of both kinds, and an eye on what the server's connections are doing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, LiteralString, Self
from uuid import UUID

import psycopg
import pytest
from dishka import AsyncContainer
from psycopg.conninfo import make_conninfo

from gatehouse.accounts.application.ports import LiveSessions, Sessions, Users
from gatehouse.accounts.domain.session import Session, SessionLifetime
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.settings import ThrottleSettings
from gatehouse.audit.infrastructure.audit_trail import AuditEventFactory, SqlAudit
from gatehouse.common.application.ports import Audit, Transaction
from gatehouse.common.domain.audit import Outcome, Subject
from gatehouse.common.infrastructure.database import Database, open_database
from gatehouse.common.infrastructure.transaction import SqlTransaction
from gatehouse.common.settings import PostgresSettings, Settings
from gatehouse.setup.modules import MODULES
from gatehouse.testing.accounts.fakes import FakeLiveSessions, FakeSessions, FakeUsers
from gatehouse.testing.audit.fakes import FakeAudit
from gatehouse.testing.contract import Gateways as BareGateways
from gatehouse.testing.contract import open_gateways
from gatehouse.testing.database import SERVER_ROLE, CreateDatabase, delete_rows
from gatehouse.testing.fakes import CONTEXT, LIFETIME, FakeClock, FakeEvent
from gatehouse.testing.in_memory_app import InMemoryApp
from tests.integration.command_line import gatehouse  # noqa: F401  # a fixture
from tests.integration.harness import Harness, open_gated_harness


@dataclass
class Gateways(BareGateways):
    """Those that authentication and the audit trail reach the stored state through, too."""

    sessions: Sessions
    live_sessions: LiveSessions
    audit: Audit
    recorded: Callable[[], Awaitable[list[FakeEvent]]]
    lifetime: SessionLifetime

    @classmethod
    async def of(cls, scope: AsyncContainer, clock: FakeClock) -> Self:
        return cls(
            scope.get,
            await scope.get(Transaction),
            await scope.get(Users),
            clock,
            await scope.get(Sessions),
            await scope.get(LiveSessions),
            SqlAudit(await scope.get(SqlTransaction), AuditEventFactory(CONTEXT, clock)),
            partial(stored_events, await scope.get(Database)),
            await scope.get(SessionLifetime),
        )

    @classmethod
    def of_fakes(cls, clock: FakeClock) -> Self:
        app = InMemoryApp(clock)

        async def get(port: type) -> Any:
            return app.part(port)

        async def recorded() -> list[FakeEvent]:
            return app.store.events

        return cls(
            get,
            app.transaction,
            app.get(Users, FakeUsers),
            clock,
            app.get(Sessions, FakeSessions),
            app.get(LiveSessions, FakeLiveSessions),
            app.get(Audit, FakeAudit),
            recorded,
            LIFETIME,
        )

    async def add_session(self, user: User, secret: str) -> Session:
        return await self.keep_session(user, secret, keep=self.lifetime.max_per_user)

    async def keep_session(self, user: User, secret: str, *, keep: int) -> Session:
        session = Session.open(user.id, secret, self.lifetime, CONTEXT, self.clock.now())
        async with self.transaction:
            await self.sessions.add(session, keep=keep)
        return session

    async def is_alive(self, session: Session) -> bool:
        return await self.live_sessions.find(session.secret_hash, self.clock.now()) is not None


async def stored_events(database: Database) -> list[FakeEvent]:
    statement = """
        SELECT action, actor, target, outcome, subject_kind, subject_id, subject_label FROM audit_events ORDER BY at, id
    """
    rows = await database.fetch_all(statement, {}, psycopg.rows.tuple_row)
    return [
        FakeEvent(action, actor, target, Outcome(outcome), Subject(*subject) if subject[0] else None)
        for action, actor, target, outcome, *subject in rows
    ]


@pytest.fixture(params=["fake", "sql"])
async def gateways(
    request: pytest.FixtureRequest, container: AsyncContainer, database: Database, clock: FakeClock
) -> AsyncIterator[Gateways]:
    """One contract, two kinds: what the fake promises to unit tests, PostgreSQL keeps."""
    assert isinstance(database, Database)
    fake = request.param == "fake"
    async with open_gateways(Gateways, fake=fake, container=container, clock=clock) as gateways:
        yield gateways


@pytest.fixture(scope="session")
def own_database_url(create_database: CreateDatabase) -> str:
    """A database apart from the application's, where connections may be ended and locks held. As its owner."""
    return create_database("own")


@pytest.fixture(scope="session")
def own_settings(settings: Settings, own_database_url: str) -> Settings:
    """As the server's role, with a pool for races and a throttle that is in nobody's way."""
    postgres = PostgresSettings(url=make_conninfo(own_database_url, user=SERVER_ROLE), pool_size=8)
    throttle = ThrottleSettings(attempts_per_account=1000, attempts_per_address=1000, sign_ups_per_address=1000)
    return settings.replace(postgres, throttle)


@pytest.fixture(scope="session")
def own_owner(own_database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(own_database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def own_url(own_database_url: str, own_owner: psycopg.Connection) -> str:
    """Of that database, emptied."""
    delete_rows(own_owner)
    return own_database_url


def empty(url: str) -> None:
    with psycopg.connect(url) as connection:
        delete_rows(connection)


@pytest.fixture
async def small_pool(own_url: str) -> AsyncIterator[Database]:
    """A pool of one connection: whoever does not give it back keeps everybody out."""
    async with open_database(own_url, 1, constraints=MODULES.constraints) as pool:
        yield pool


class DatabaseMonitor:
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
        await self._connection.execute(_LOOK_AGAIN)
        return await (await self._connection.execute(_WAITS)).fetchall()

    async def busy(self) -> list[tuple[object, ...]]:
        """The application's connections that are at work, in a transaction or holding a lock."""
        return await (await self._connection.execute(_BUSY)).fetchall()

    async def table_locks(self, table: str) -> set[str]:
        """In which modes the application's connections hold that table."""
        rows = await (await self._connection.execute(_TABLE_LOCKS, {"table": table})).fetchall()
        return {mode for (mode,) in rows}

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

    async def has_session(self, session_id: UUID) -> bool:
        rows = await self._connection.execute("SELECT 1 FROM sessions WHERE id = %s", [session_id])
        return await rows.fetchone() is not None

    async def user(self, username: str) -> dict[str, object]:
        """The stored row, empty where there is none."""
        cursor = self._connection.cursor(row_factory=psycopg.rows.dict_row)
        return await (await cursor.execute("SELECT * FROM users WHERE username = %s", [username])).fetchone() or {}


# In a transaction PostgreSQL shows what the others did at the first look, however often one asks.
_LOOK_AGAIN: Final = "SELECT pg_stat_clear_snapshot()"
_WAITS: Final = """
    SELECT wait_event_type, wait_event FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'gatehouse'
"""
_TABLE_LOCKS: Final = """
    SELECT mode FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE datname = current_database() AND application_name = 'gatehouse'
        AND locktype = 'relation' AND relation = %(table)s::regclass
"""
_BUSY: Final = """
    SELECT pid, state FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'gatehouse'
        AND (state <> 'idle' OR pid IN (SELECT pid FROM pg_locks))
"""
_TERMINATE: Final = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'gatehouse'
"""


@pytest.fixture
async def monitor(own_url: str) -> AsyncIterator[DatabaseMonitor]:
    monitor = await DatabaseMonitor.connect(own_url)
    yield monitor
    await monitor.close()


@pytest.fixture
async def harness(own_settings: Settings, own_url: str) -> AsyncIterator[Harness]:
    assert own_url
    async with open_gated_harness(own_settings) as harness:
        yield harness


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  # what goes on in the server sets no event here
            await asyncio.sleep(0.005)
