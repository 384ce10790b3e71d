"""Deletes expired sessions, and attempts whose count has expired."""

from datetime import datetime
from typing import Final

from gatehouse.common.infrastructure.database import Database

_BATCH: Final = 1000
# One process at a time, on any machine; PostgreSQL releases the lock when the transaction ends.
_LOCK: Final = "SELECT pg_try_advisory_xact_lock(hashtext('gatehouse purge'))"
# An array is made once. `IN (SELECT … LIMIT …)` may be run again for each row of the table, and then deletes more.
_PURGE_SESSIONS: Final = """
    DELETE FROM sessions WHERE secret_hash = ANY (ARRAY(
        SELECT secret_hash FROM sessions WHERE idle_expires_at <= %(now)s LIMIT %(batch)s FOR UPDATE SKIP LOCKED
    ))
"""
_PURGE_ATTEMPTS: Final = """
    DELETE FROM attempts WHERE key = ANY (ARRAY(
        SELECT key FROM attempts WHERE forget_at <= %(now)s AND next_at <= %(now)s
        LIMIT %(batch)s FOR UPDATE SKIP LOCKED
    ))
"""


class SqlExpiredRows:
    """Only the idle timeout is checked: it never ends after the absolute timeout."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def purge_batch(self, now: datetime) -> int:
        parameters = {"now": now, "batch": _BATCH}
        async with self._database.transaction() as connection:
            row = await (await connection.execute(_LOCK)).fetchone()
            if row is None or not row[0]:
                return 0
            sessions = await connection.execute(_PURGE_SESSIONS, parameters)
            attempts = await connection.execute(_PURGE_ATTEMPTS, parameters)
            return sessions.rowcount + attempts.rowcount
