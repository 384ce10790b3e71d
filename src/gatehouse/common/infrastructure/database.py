"""The pool of connections to PostgreSQL, shared by commands (SQLAlchemy Core) and queries (the driver itself)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from types import MappingProxyType
from typing import Final

import psycopg
from psycopg import AsyncConnection
from psycopg.errors import Diagnostic
from psycopg.rows import AsyncRowFactory, TupleRow
from psycopg_pool import AsyncConnectionPool
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from gatehouse.common.infrastructure.database_errors import Constraints, ErrorTranslation
from gatehouse.common.infrastructure.waiting import ignore_outcome

POOL_WAIT_SECONDS: Final = 2.0
_CLOSING_SECONDS: Final = 1.0

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
    """A connection is lent in autocommit for a query, which is then one round trip, and without for a command."""

    def __init__(
        self, url: str, pool_size: int, *, constraints: Constraints = MappingProxyType({}), has_replica: bool = False
    ) -> None:
        self.errors = ErrorTranslation(constraints)
        self.has_replica = has_replica
        self._check: asyncio.Task[None] | None = None
        self._pool = AsyncConnectionPool(
            url,
            connection_class=_Connection,
            kwargs=_CONNECT,
            min_size=min(2, pool_size),
            max_size=pool_size,
            timeout=POOL_WAIT_SECONDS,
            # How far apart the pool's attempts may come to lie while the database is away.
            reconnect_timeout=POOL_WAIT_SECONDS,
            open=False,
            close_returns=True,
        )
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+psycopg://", poolclass=NullPool, async_creator=self._for_transaction, hide_parameters=True
        )

    async def open(self) -> None:
        await self._pool.open()

    async def close(self) -> None:
        if self._check is not None:
            self._check.cancel()
            await asyncio.wait({self._check}, timeout=_CLOSING_SECONDS)
        await self._pool.close()

    async def fetch_all[Row](
        self, sql: str, parameters: Parameters, rows: AsyncRowFactory[Row], *, prepare: bool | None = None
    ) -> list[Row]:
        """`prepare=False` has the statement planned for these parameters; by default it is prepared in time."""
        connection = await self._lend()
        try:
            cursor = await connection.cursor(row_factory=rows).execute(sql, parameters, prepare=prepare)
            return await cursor.fetchall()
        except psycopg.Error as error:
            raise self.errors.translate_error(error) from None
        finally:
            await self._take_back(connection)

    async def fetch_one[Row](self, sql: str, parameters: Parameters, rows: AsyncRowFactory[Row]) -> Row | None:
        fetched = await self.fetch_all(sql, parameters, rows)
        return fetched[0] if fetched else None

    async def execute(self, sql: str, parameters: Parameters) -> None:
        async with self._connection() as connection:
            await connection.execute(sql, parameters)

    async def drop_lost_connections(self) -> None:
        """Where one connection is lost, the idle ones often are, too, and each would fail a request of its own.

        They are checked in the background, since a silent server would keep this request waiting for each of them.
        """
        if self._check is None or self._check.done():
            self._check = asyncio.create_task(self._pool.check(), context=Context())
            self._check.add_done_callback(ignore_outcome)
            await asyncio.sleep(0)  # lets it take them out of the pool before anyone asks for one

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[_Connection]:
        connection = await self._lend()
        try:
            with self.errors.translate():
                yield connection
        finally:
            await self._take_back(connection)

    async def _lend(self) -> _Connection:
        try:
            return await self._from_pool(autocommit=True)
        except psycopg.Error as error:
            raise self.errors.translate_error(error) from None

    async def _take_back(self, connection: _Connection) -> None:
        is_lost = connection.broken
        await self._pool.putconn(connection)
        if is_lost:
            await self.drop_lost_connections()

    async def _from_pool(self, *, autocommit: bool) -> _Connection:
        connection = await self._pool.getconn()
        try:
            # Here, and not as the pool's `reset`, which would send every connection through a task of its own.
            if connection.autocommit is not autocommit:
                await connection.set_autocommit(autocommit)
        except BaseException:  # a cancelled call, too, gives it back
            await self._pool.putconn(connection)
            raise
        return connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection[TupleRow]]:
        """For the few writes that belong to no command. Commits on leaving, rolls back on an exception."""
        async with self._connection() as connection, connection.transaction():
            yield connection

    async def _for_transaction(self) -> _Connection:
        return await self._from_pool(autocommit=False)


@asynccontextmanager
async def open_database(
    url: str, pool_size: int, *, constraints: Constraints = MappingProxyType({}), has_replica: bool = False
) -> AsyncIterator[Database]:
    database = Database(url, pool_size, constraints=constraints, has_replica=has_replica)
    await database.open()
    try:
        yield database
    finally:
        await database.close()
