from typing import Final
from uuid import UUID

from psycopg import AsyncCursor
from psycopg.rows import RowMaker

from gatehouse.accounts.application.queries.list_sessions import SessionList, SessionView
from gatehouse.accounts.domain.device import describe_device
from gatehouse.common.application.ports import Clock
from gatehouse.common.infrastructure.replica.query_database import QueryDatabase

_SQL: Final = """
    SELECT id, created_at, last_seen_at, expires_at, ip, user_agent, id = %(current_id)s AS is_current
    FROM sessions
    WHERE user_id = %(user_id)s AND idle_expires_at > %(now)s
    ORDER BY created_at DESC, id DESC
"""


class SqlLiveSessionViews:
    def __init__(self, database: QueryDatabase, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __call__(self, user_id: UUID, *, current_id: UUID) -> SessionList:
        parameters = {"user_id": user_id, "current_id": current_id, "now": self._clock.now()}
        return SessionList(await self._database.fetch_all(_SQL, parameters, _session_view))


def _session_view(_: AsyncCursor[SessionView]) -> RowMaker[SessionView]:
    return lambda row: SessionView(row[0], row[1], row[2], row[3], row[4], row[5], describe_device(row[5]), row[6])
