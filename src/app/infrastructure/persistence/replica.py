"""Reading from a replica where it is good enough, and from the primary where it isn't."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Final

import structlog
from psycopg.rows import AsyncRowFactory, scalar_row

from app.application.written import Written
from app.domain.errors import UnavailableError
from app.infrastructure.persistence.database import Database, Parameters

MAX_LAG_SECONDS: Final = 5.0
_LOOK_EVERY_SECONDS: Final = 1.0
_PRIMARY_POSITION: Final = "SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint"
_REPLAYED: Final = "SELECT (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint"
_HAS_REPLAYED: Final = "SELECT pg_last_wal_replay_lsn() >= %(position)s::pg_lsn"

_log = structlog.get_logger()


class Replica:
    """A replica, and whether it may be used: it answers, and is at most a few seconds behind."""

    def __init__(self, database: Database, primary: Database) -> None:
        self.database = database
        self._primary = primary
        self._samples = deque[tuple[float, int]]()
        self.is_usable = False

    async def has_replayed(self, position: str) -> bool:
        return bool(await self.database.fetch_one(_HAS_REPLAYED, {"position": position}, scalar_row))

    def give_up(self) -> None:
        """Until the next look finds it well again."""
        if self.is_usable:
            _log.warning("replica_not_used")
        self.is_usable = False

    async def watch(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def look(self) -> None:
        """How far behind in seconds, without asking the replica for the time: where the primary was a while ago, the
        replica must be now. (A replica cut off from its primary believes itself up to date.)
        """
        try:
            now, position = monotonic(), await self._primary.fetch_one(_PRIMARY_POSITION, {}, scalar_row)
            replayed = await self.database.fetch_one(_REPLAYED, {}, scalar_row)
        except UnavailableError:
            self.give_up()
            return
        self._samples.append((now, position or 0))
        while len(self._samples) > 1 and self._samples[1][0] <= now - MAX_LAG_SECONDS:
            self._samples.popleft()
        if replayed is None or replayed < self._samples[0][1]:
            self.give_up()
        elif not self.is_usable:
            _log.info("replica_used")
            self.is_usable = True


@asynccontextmanager
async def watched(database: Database, primary: Database) -> AsyncIterator[Replica]:
    replica = Replica(database, primary)
    await replica.look()
    task = asyncio.create_task(replica.watch())
    try:
        yield replica
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class Reads:
    """Where query gateways read. One a request: it knows what this client has written."""

    def __init__(self, primary: Database, replica: Replica | None, written: Written) -> None:
        self._primary = primary
        self._replica = replica
        self._written = written

    async def fetch_all[Row](
        self, sql: str, parameters: Parameters, rows: AsyncRowFactory[Row], *, prepare: bool | None = None
    ) -> list[Row]:
        if (replica := await self._usable_replica()) is not None:
            try:
                return await replica.database.fetch_all(sql, parameters, rows, prepare=prepare)
            except UnavailableError:
                replica.give_up()
        return await self._primary.fetch_all(sql, parameters, rows, prepare=prepare)

    async def fetch_one[Row](self, sql: str, parameters: Parameters, rows: AsyncRowFactory[Row]) -> Row | None:
        if (replica := await self._usable_replica()) is not None:
            try:
                return await replica.database.fetch_one(sql, parameters, rows)
            except UnavailableError:
                replica.give_up()
        return await self._primary.fetch_one(sql, parameters, rows)

    async def _usable_replica(self) -> Replica | None:
        """None, too, when the replica has not yet come to what this client has written."""
        replica, position = self._replica, self._written.position
        if replica is None or not replica.is_usable:
            return None
        if position is None:
            return replica
        try:
            return replica if await replica.has_replayed(position) else None
        except UnavailableError:
            replica.give_up()
            return None
