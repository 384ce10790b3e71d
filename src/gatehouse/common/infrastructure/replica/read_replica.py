"""Reading from a replica where it is good enough, and from the primary where it isn't."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from time import monotonic
from typing import Final

import structlog
from psycopg.rows import AsyncRowFactory, scalar_row

from gatehouse.common.application.write_position import CurrentWritten
from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.database import Database, Parameters
from gatehouse.common.infrastructure.database_errors import DatabaseError
from gatehouse.common.infrastructure.waiting import answered_within

MAX_LAG_SECONDS: Final = 5.0
ANSWER_WITHIN_SECONDS: Final = 2.0
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

    async def ask[Row](self, question: Coroutine[object, object, Row]) -> Row:
        """The replica's answer. Raises UnavailableError, and leaves the replica alone from then on, when it fails or
        keeps silent.
        """
        try:
            return await answered_within(ANSWER_WITHIN_SECONDS, question)
        except (UnavailableError, DatabaseError):
            self.give_up()
            raise UnavailableError from None

    async def has_replayed(self, position: str) -> bool:
        return bool(await self.ask(self.database.fetch_one(_HAS_REPLAYED, {"position": position}, scalar_row)))

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
            replayed = await self.ask(self.database.fetch_one(_REPLAYED, {}, scalar_row))
        except (UnavailableError, DatabaseError):
            # Where the primary was before this gap says nothing of where the replica must be after it.
            self._samples.clear()
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
    task = asyncio.create_task(replica.watch(), context=Context())  # not that of the request which came first
    try:
        yield replica
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class Reads:
    """Where query gateways read."""

    def __init__(self, primary: Database, replica: Replica | None, written: CurrentWritten) -> None:
        self._primary = primary
        self._replica = replica
        self._written = written

    async def fetch_all[Row](
        self, sql: str, parameters: Parameters, rows: AsyncRowFactory[Row], *, prepare: bool | None = None
    ) -> list[Row]:
        if self._replica is not None and await self._may_use(self._replica):
            with suppress(UnavailableError):
                return await self._replica.ask(self._replica.database.fetch_all(sql, parameters, rows, prepare=prepare))
        return await self._primary.fetch_all(sql, parameters, rows, prepare=prepare)

    async def fetch_one[Row](self, sql: str, parameters: Parameters, rows: AsyncRowFactory[Row]) -> Row | None:
        found = await self.fetch_all(sql, parameters, rows)
        return found[0] if found else None

    async def fetch_one_surely[Row](self, sql: str, parameters: Parameters, rows: AsyncRowFactory[Row]) -> Row | None:
        """For a row that must be there: where the replica has none yet, the primary has the word."""
        found = await self.fetch_one(sql, parameters, rows)
        if found is None and self._replica is not None:
            found = await self._primary.fetch_one(sql, parameters, rows)
        return found

    async def _may_use(self, replica: Replica) -> bool:
        """Not where the replica has yet to come to what this client has written."""
        if not replica.is_usable:
            return False
        position = self._written().position
        try:
            return position is None or await replica.has_replayed(position)
        except UnavailableError:
            return False
