"""A command's unit of work."""

import asyncio
from types import TracebackType

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.infrastructure.persistence.database import Database
from app.infrastructure.persistence.errors import database_errors


class SqlTransaction:
    """One per request. The command gateways share its connection, which it holds only between enter and exit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: AsyncConnection | None = None

    @property
    def connection(self) -> AsyncConnection:
        if self._connection is None:
            raise RuntimeError("Command gateways work inside `async with transaction` only.")
        return self._connection

    async def __aenter__(self) -> None:
        if self._connection is not None:
            raise RuntimeError("A transaction is open already; they do not nest.")
        with database_errors():
            self._connection = await self._database.engine.connect()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        connection, self._connection = self.connection, None
        try:
            with database_errors():
                if error is not None:
                    raise error
                await connection.commit()
        finally:
            # Shielded: a cancelled request, too, gives its connection back.
            await asyncio.shield(asyncio.create_task(self._give_back(connection)))

    async def _give_back(self, connection: AsyncConnection) -> None:
        """Rolls back what is not committed. A lost connection must not hide the error that brought us here."""
        try:
            await connection.close()
        except DBAPIError:
            await self._database.forget_lost_connections()
