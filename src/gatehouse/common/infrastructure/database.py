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
        # psycopg regards a lost connection as closed and does not return it to its pool, which would count it as in
        # use forever, and have none left in the end.
        pool = getattr(self, "_pool", None)
        if self.closed and pool is not None:
            await pool.putconn(self)
        else:
            await super().close()


class Database:
    """Queries get a connection in autocommit mode, so that each is one round trip; commands get one without."""

    def __init__(
        self, url: str, pool_size: int, *, constraints: Constraints = MappingProxyType({}), has_replica: bool = False
    ) -> None:
        self.errors = ErrorTranslation(constraints)
        self.has_replica = has_replica
        self._pool_check: asyncio.Task[None] | None = None
        self._pool = AsyncConnectionPool(
            url,
            connection_class=_Connection,
            kwargs=_CONNECT,
            min_size=min(2, pool_size),
            max_size=pool_size,
            timeout=POOL_WAIT_SECONDS,
            # Bounds the backoff between the pool's attempts to reconnect while the database is away.
            reconnect_timeout=POOL_WAIT_SECONDS,
            open=False,
            close_returns=True,
        )
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+psycopg://",
            poolclass=NullPool,
            async_creator=self._acquire_for_transaction,
            hide_parameters=True,
        )

    async def open(self) -> None:
        await self._pool.open()

    async def close(self) -> None:
        if self._pool_check is not None:
            self._pool_check.cancel()
            await asyncio.wait({self._pool_check}, timeout=_CLOSING_SECONDS)
        await self._pool.close()

    async def fetch_all[Row](
        self, sql: str, parameters: Parameters, rows: AsyncRowFactory[Row], *, prepare: bool | None = None
    ) -> list[Row]:
        """`prepare=False`: the statement is planned for these parameters. By default it is prepared when it recurs."""
        connection = await self._acquire()
        try:
            cursor = await connection.cursor(row_factory=rows).execute(sql, parameters, prepare=prepare)
            return await cursor.fetchall()
        except psycopg.Error as error:
            raise self.errors.translate_error(error) from None
        finally:
            await self._release(connection)

    async def fetch_one[Row](self, sql: str, parameters: Parameters, rows: AsyncRowFactory[Row]) -> Row | None:
        fetched = await self.fetch_all(sql, parameters, rows)
        return fetched[0] if fetched else None

    async def execute(self, sql: str, parameters: Parameters) -> None:
        async with self._connection() as connection:
            await connection.execute(sql, parameters)

    async def drop_lost_connections(self) -> None:
        """When one connection is lost, idle ones often are, too, and otherwise each of the next requests would fail.

        They are checked in the background: with an unresponsive server, each check would keep this request waiting.
        """
        if self._pool_check is None or self._pool_check.done():
            self._pool_check = asyncio.create_task(self._pool.check(), context=Context())
            self._pool_check.add_done_callback(ignore_outcome)
            await asyncio.sleep(0)  # lets the check take them out of the pool before another request gets one

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[_Connection]:
        connection = await self._acquire()
        try:
            with self.errors.translate():
                yield connection
        finally:
            await self._release(connection)

    async def _acquire(self) -> _Connection:
        try:
            return await self._acquire_from_pool(autocommit=True)
        except psycopg.Error as error:
            raise self.errors.translate_error(error) from None

    async def _release(self, connection: _Connection) -> None:
        is_lost = connection.broken
        await self._return_to_pool(connection)
        if is_lost:
            await self.drop_lost_connections()

    async def _acquire_from_pool(self, *, autocommit: bool) -> _Connection:
        connection = await self._pool.getconn()
        try:
            # Here, and not in the pool's `reset` callback, for which the pool starts a task for every connection.
            if connection.autocommit is not autocommit:
                await connection.set_autocommit(autocommit)
        except BaseException:  # a cancelled call returns it, too
            await self._return_to_pool(connection)
            raise
        return connection

    async def _return_to_pool(self, connection: _Connection) -> None:
        """A call that is cancelled while the pool makes it wait returns its connection, too, which is lost otherwise.

        The pool hardly ever does: a task that starts at once has then ended, and costs next to nothing.
        """
        returning = self._pool.putconn(connection)
        await asyncio.shield(asyncio.Task(returning, loop=asyncio.get_running_loop(), eager_start=True))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection[TupleRow]]:
        """For the few writes outside of a command's transaction. Commits at the end, rolls back on an exception."""
        async with self._connection() as connection, connection.transaction():
            yield connection

    async def _acquire_for_transaction(self) -> _Connection:
        return await self._acquire_from_pool(autocommit=False)


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
