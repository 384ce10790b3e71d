"""A read replica, usable while it responds and its lag is a few seconds at most."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

import structlog
from psycopg.rows import scalar_row

from gatehouse.common.application.background import run_in_background
from gatehouse.common.application.metrics import NO_METRICS, Gauge, Metrics
from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.infrastructure.database_errors import DatabaseError
from gatehouse.common.infrastructure.waiting import wait_for_answer

MAX_LAG_SECONDS: Final = 5.0
ANSWER_WITHIN_SECONDS: Final = 2.0
_MEASURE_EVERY_SECONDS: Final = 1.0
_PRIMARY_POSITION: Final = "SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint"
_REPLICA_POSITION: Final = "SELECT (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint"
_HAS_REPLAYED: Final = "SELECT pg_last_wal_replay_lsn() >= %(position)s::pg_lsn"

LAG: Final = Gauge(
    name="gatehouse_replica_lag_bytes",
    help="How much of the primary's log the read replica had not replayed when it last answered.",
    combine=max,
)
USED_BY: Final = Gauge(name="gatehouse_replica_workers", help="Server processes whose queries go to the read replica.")
REPLICA_METRICS: Final = (LAG, USED_BY)

_log = structlog.get_logger()


class ReadReplica:
    """Measures its lag once a second; `is_usable` says whether queries may be sent to it."""

    def __init__(self, database: Database, primary: Database, metrics: Metrics = NO_METRICS) -> None:
        self.database = database
        self._primary = primary
        self._samples = deque[tuple[float, int]]()
        self.is_usable = False
        self._lag_bytes = 0
        metrics.watch(LAG, lambda: self._lag_bytes)
        metrics.watch(USED_BY, lambda: self.is_usable)

    async def query[Row](self, call: Coroutine[object, object, Row]) -> Row:
        """Runs a query on the replica. If it fails or takes too long, raises UnavailableError, and the replica is not
        used until a measurement finds it usable again.
        """
        try:
            return await wait_for_answer(ANSWER_WITHIN_SECONDS, call)
        except (UnavailableError, DatabaseError):
            self.stop_using()
            raise UnavailableError from None

    async def has_replayed(self, position: str) -> bool:
        return bool(await self.query(self.database.fetch_one(_HAS_REPLAYED, {"position": position}, scalar_row)))

    def stop_using(self) -> None:
        """Until a measurement finds it usable again."""
        if self.is_usable:
            _log.warning("replica_not_used")
        self.is_usable = False

    async def measure_regularly(self) -> None:
        while True:
            await self.measure_lag()
            await asyncio.sleep(_MEASURE_EVERY_SECONDS)

    async def measure_lag(self) -> None:
        """Decides whether the lag is at most MAX_LAG_SECONDS.

        The replica cannot measure its lag itself: cut off from its primary, it believes itself up to date. So the log
        position that it has replayed is compared with the primary's log position of MAX_LAG_SECONDS ago.
        """
        try:
            now, primary_position = monotonic(), await self._primary.fetch_one(_PRIMARY_POSITION, {}, scalar_row)
            replica_position = await self.query(self.database.fetch_one(_REPLICA_POSITION, {}, scalar_row))
        except (UnavailableError, DatabaseError):
            # After a gap, earlier samples prove nothing: start again with the primary's next position.
            self._samples.clear()
            self.stop_using()
            return
        self._samples.append((now, primary_position or 0))
        self._lag_bytes = max(0, (primary_position or 0) - (replica_position or 0))
        while len(self._samples) > 1 and self._samples[1][0] <= now - MAX_LAG_SECONDS:
            self._samples.popleft()
        if replica_position is None or replica_position < self._samples[0][1]:
            self.stop_using()
        elif not self.is_usable:
            _log.info("replica_used")
            self.is_usable = True


@asynccontextmanager
async def watch_replica(
    database: Database, primary: Database, metrics: Metrics = NO_METRICS
) -> AsyncIterator[ReadReplica]:
    """Not usable until it has been measured, for which nobody waits: one that is away must not hold up the start."""
    replica = ReadReplica(database, primary, metrics)
    async with run_in_background(replica.measure_regularly()):
        yield replica
