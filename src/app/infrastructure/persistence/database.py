"""The pool of connections to PostgreSQL, shared by commands (SQLAlchemy Core) and queries (the driver itself)."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

from psycopg import AsyncConnection
from psycopg.errors import Diagnostic
from psycopg.rows import AsyncRowFactory, TupleRow
from psycopg_pool import AsyncConnectionPool
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from app.infrastructure.persistence.errors import database_errors

POOL_WAIT_SECONDS: Final = 2.0

_SERVER_LIMITS: Final = (
    "-c timezone=UTC -c statement_timeout=5s -c lock_timeout=2s -c idle_in_transaction_session_timeout=10s"
)
_CONNECT: Final = {
    "autocommit": True,
    "connect_timeout": 3,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "gatehouse",
    "options": _SERVER_LIMITS,
}

type Parameters = Mapping[str, object]


class _Connection(AsyncConnection[TupleRow]):
    def add_notice_handler(self, callback: Callable[[Diagnostic], None]) -> None:
        # SQLAlchemy adds its handler at every checkout; connections outlive checkouts, and the list would only grow.
        with suppress(ValueError):
            self.remove_notice_handler(callback)
        super().add_notice_handler(callback)

    async def close(self) -> None:
        # A lost connection counts as closed, and psycopg does not hand back what is closed: the pool would go on
        # counting it as lent, and end up empty.
        pool = getattr(self, "_pool", None)
        if self.closed and pool is not None:
            await pool.putconn(self)
        else:
            await super().close()


class Database:
    """Connections rest in autocommit, so that a query is one round trip. A command's transaction turns it off."""

    def __init__(self, url: str, pool_size: int, *, has_replica: bool = False) -> None:
        self.has_replica = has_replica
        self._pool = AsyncConnectionPool(
            url,
            connection_class=_Connection,
            kwargs=_CONNECT,
            min_size=min(2, pool_size),
            max_size=pool_size,
            timeout=POOL_WAIT_SECONDS,
            open=False,
            reset=_to_autocommit,
            close_returns=True,
        )
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+psycopg://", poolclass=NullPool, async_creator=self._for_transaction, hide_parameters=True
        )

    async def open(self) -> None:
        await self._pool.open()

    async def close(self) -> None:
        await self._pool.close()

    async def fetch_all[Row](
        self, sql: str, parameters: Parameters, rows: AsyncRowFactory[Row], *, prepare: bool | None = None
    ) -> list[Row]:
        """`prepare=False` has the statement planned for these parameters; by default it is prepared in time."""
        async with self._connection() as connection:
            cursor = await connection.cursor(row_factory=rows).execute(sql, parameters, prepare=prepare)
            return await cursor.fetchall()

    async def fetch_one[Row](self, sql: str, parameters: Parameters, rows: AsyncRowFactory[Row]) -> Row | None:
        async with self._connection() as connection:
            cursor = await connection.cursor(row_factory=rows).execute(sql, parameters)
            return await cursor.fetchone()

    async def execute(self, sql: str, parameters: Parameters) -> None:
        async with self._connection() as connection:
            await connection.execute(sql, parameters)

    async def forget_lost_connections(self) -> None:
        """When one connection is lost, the resting ones are often lost, too: one request has failed, not each next."""
        await self._pool.check()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[_Connection]:
        with database_errors():
            connection = await self._pool.getconn()
            try:
                yield connection
            finally:
                await self._pool.putconn(connection)
                if connection.broken:
                    await self.forget_lost_connections()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection[TupleRow]]:
        """For the few writes that belong to no command. Commits on leaving, rolls back on an exception."""
        async with self._connection() as connection, connection.transaction():
            yield connection

    async def _for_transaction(self) -> _Connection:
        connection = await self._pool.getconn()
        await connection.set_autocommit(False)
        return connection


async def _to_autocommit(connection: _Connection) -> None:
    await connection.set_autocommit(True)


@asynccontextmanager
async def opened(url: str, pool_size: int, *, has_replica: bool = False) -> AsyncIterator[Database]:
    database = Database(url, pool_size, has_replica=has_replica)
    await database.open()
    try:
        yield database
    finally:
        await database.close()
