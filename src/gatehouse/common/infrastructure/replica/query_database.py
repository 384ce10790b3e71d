"""Queries read from the read replica while it is up to date enough, else from the primary."""

from contextlib import suppress

from psycopg.rows import AsyncRowFactory

from gatehouse.common.application.write_position import CurrentWritePosition
from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.database import Database, Parameters
from gatehouse.common.infrastructure.replica.read_replica import ReadReplica


class QueryDatabase:
    def __init__(self, primary: Database, replica: ReadReplica | None, write_position: CurrentWritePosition) -> None:
        self._primary = primary
        self._replica = replica
        self._write_position = write_position

    async def fetch_all[Row](
        self, sql: str, parameters: Parameters, rows: AsyncRowFactory[Row], *, prepare: bool | None = None
    ) -> list[Row]:
        replica = self._replica
        if replica is not None and await self._may_use(replica):
            with suppress(UnavailableError):
                return await replica.query(replica.database.fetch_all(sql, parameters, rows, prepare=prepare))
        return await self._primary.fetch_all(sql, parameters, rows, prepare=prepare)

    async def fetch_one[Row](self, sql: str, parameters: Parameters, rows: AsyncRowFactory[Row]) -> Row | None:
        fetched = await self.fetch_all(sql, parameters, rows)
        return fetched[0] if fetched else None

    async def fetch_one_or_from_primary[Row](
        self, sql: str, parameters: Parameters, rows: AsyncRowFactory[Row]
    ) -> Row | None:
        """For a row that must exist: if the replica does not have it yet, it is read from the primary."""
        row = await self.fetch_one(sql, parameters, rows)
        if row is None and self._replica is not None:
            row = await self._primary.fetch_one(sql, parameters, rows)
        return row

    async def _may_use(self, replica: ReadReplica) -> bool:
        """Whether the replica is usable and has replayed this client's last write."""
        if not replica.is_usable:
            return False
        lsn = self._write_position().lsn
        try:
            return lsn is None or await replica.has_replayed(lsn)
        except UnavailableError:
            return False
