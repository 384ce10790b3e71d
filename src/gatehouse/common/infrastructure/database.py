"""The pool of connections to PostgreSQL, shared by commands (SQLAlchemy Core) and queries (the driver itself)."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from typing import Final

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import AsyncRowFactory, TupleRow
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from gatehouse.common.application.metrics import Metrics
from gatehouse.common.infrastructure.database_connection import ServerConnection
from gatehouse.common.infrastructure.database_errors import Constraints, ErrorTranslation
from gatehouse.common.infrastructure.database_pool import ConnectionPool

POOL_WAIT_SECONDS: Final = 2.0

type Parameters = Mapping[str, object]


class Database:
    """Queries get a connection in autocommit mode, so that each is one round trip; commands get one without."""

    def __init__(
        self,
        url: str,
        pool_size: int,
        *,
        constraints: Constraints = MappingProxyType({}),
        has_replica: bool = False,
        through_pooler: bool = False,
    ) -> None:
        self.has_replica = has_replica
        self._pool = ConnectionPool(url, pool_size, wait_seconds=POOL_WAIT_SECONDS, through_pooler=through_pooler)
        self.errors = ErrorTranslation(constraints, on_read_only=self._pool.leave_read_only_server)
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+psycopg://",
            poolclass=NullPool,
            async_creator=self._acquire_for_transaction,
            hide_parameters=True,
        )

    async def open(self) -> None:
        await self._pool.open()

    async def close(self) -> None:
        await self._pool.close()

    def measure(self, metrics: Metrics, pool: str) -> None:
        self._pool.measure(metrics, pool)

    @property
    def no_connection(self) -> str | None:
        """Why there is none: one line for the operator, who is not every client."""
        return self._pool.no_connection

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
            await self._pool.putconn(connection)

    async def fetch_one[Row](self, sql: str, parameters: Parameters, rows: AsyncRowFactory[Row]) -> Row | None:
        fetched = await self.fetch_all(sql, parameters, rows)
        return fetched[0] if fetched else None

    async def execute(self, sql: str, parameters: Parameters) -> None:
        """For a write of one statement that may as well be lost or done twice: where it fails, it may be done."""
        connection = await self._acquire()
        try:
            with self.errors.translate():
                await connection.execute(sql, parameters)
        finally:
            await self._pool.putconn(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection[TupleRow]]:
        """For the few writes outside of a command's transaction. Commits at the end, rolls back on an exception."""
        connection = await self._acquire(autocommit=False)
        try:
            with self.errors.translate():
                try:
                    yield connection
                except BaseException:  # a cancelled call rolls back, too
                    with suppress(psycopg.Error):
                        await connection.rollback()
                    raise
            with self.errors.translate(is_commit=True):
                await connection.commit()
        finally:
            await self._pool.putconn(connection)

    async def _acquire(self, *, autocommit: bool = True) -> ServerConnection:
        try:
            return await self._acquire_from_pool(autocommit=autocommit)
        except psycopg.Error as error:
            raise self.errors.translate_error(error) from None

    async def _acquire_from_pool(self, *, autocommit: bool) -> ServerConnection:
        connection = await self._pool.getconn()
        try:
            # Here, and not in the pool's `reset` callback, for which the pool starts a task for every connection.
            if connection.autocommit is not autocommit:
                await connection.set_autocommit(autocommit)
        except BaseException:  # a cancelled call returns it, too
            await self._pool.putconn(connection)
            raise
        return connection

    async def _acquire_for_transaction(self) -> ServerConnection:
        return await self._acquire_from_pool(autocommit=False)


@asynccontextmanager
async def open_database(
    url: str,
    pool_size: int,
    *,
    constraints: Constraints = MappingProxyType({}),
    has_replica: bool = False,
    through_pooler: bool = False,
) -> AsyncIterator[Database]:
    database = Database(url, pool_size, constraints=constraints, has_replica=has_replica, through_pooler=through_pooler)
    await database.open()
    try:
        yield database
    finally:
        await database.close()
