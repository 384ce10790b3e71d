from typing import Final
from uuid import UUID

from psycopg.rows import class_row

from gatehouse.accounts.application.queries.list_sessions import SessionList, SessionView
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
        return SessionList(await self._database.fetch_all(_SQL, parameters, class_row(SessionView)))
