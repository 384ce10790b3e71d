"""A command's unit of work."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from gatehouse.common.application.write_position import CurrentWritePosition
from gatehouse.common.infrastructure.database import Database

_POSITION: Final = text("SELECT pg_current_wal_insert_lsn()::text")


class SqlTransaction:
    """One per request. The command gateways share its connection, which it holds only between enter and exit."""

    def __init__(self, database: Database, write_position: CurrentWritePosition) -> None:
        self._database = database
        self._write_position = write_position
        self._connection: AsyncConnection | None = None
        self._after_commit: list[Callable[[], None]] = []

    @property
    def connection(self) -> AsyncConnection:
        if self._connection is None:
            raise RuntimeError("Command gateways work inside `async with transaction` only.")
        return self._connection

    async def __aenter__(self) -> None:
        if self._connection is not None:
            raise RuntimeError("A transaction is open already; they do not nest.")
        self._after_commit.clear()
        with self._database.errors.translate():
            self._connection = await self._database.engine.connect()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        connection, self._connection = self.connection, None
        try:
            if error is not None:
                with self._database.errors.translate(may_retry=True):
                    raise error
            with self._database.errors.translate(is_commit=True):
                await connection.commit()
            await self._update_write_position(connection)
        finally:
            # Shielded, so that a cancelled request returns its connection, too.
            await asyncio.shield(asyncio.create_task(self._release(connection)))
        for callback in self._after_commit:
            callback()

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Calls it after a successful commit, and never when the transaction is rolled back."""
        self._after_commit.append(callback)

    async def _update_write_position(self, connection: AsyncConnection) -> None:
        """For the client's next reads from a replica. A failure is ignored, since the commit has already succeeded."""
        if self._database.has_replica:
            with suppress(DBAPIError):
                self._write_position().lsn = await connection.scalar(_POSITION)

    async def _release(self, connection: AsyncConnection) -> None:
        """Rolls back what is not committed. A lost connection must not hide the error that led here."""
        with suppress(DBAPIError):
            await connection.close()
