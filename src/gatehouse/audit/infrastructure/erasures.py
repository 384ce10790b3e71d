"""Erasing names from the audit trail. What may be changed in it is decided by the function in the database."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, insert, select

from gatehouse.audit.infrastructure.tables import erasures
from gatehouse.common.application.ports import Clock
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.infrastructure.transaction import SqlTransaction

LOOK_AGAIN_AFTER: Final = timedelta(minutes=5)
"""Longer than anything that is being recorded, or counted, takes to be stored."""
BATCH: Final = 1000
_NEXT: Final = """
    SELECT pseudonym, username FROM erasures WHERE look_again_at <= %(now)s
    ORDER BY look_again_at LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_ERASE: Final = "SELECT erase_from_audit_events(%(username)s, %(pseudonym)s, %(batch)s)"
_FORGET: Final = "DELETE FROM erasures WHERE pseudonym = %(pseudonym)s"


class SqlErasableTrail:
    def __init__(self, transaction: SqlTransaction, clock: Clock) -> None:
        self._transaction = transaction
        self._clock = clock

    async def erase(self, username: str, pseudonym: str) -> None:
        connection = self._transaction.connection
        later = {"username": username, "pseudonym": pseudonym, "look_again_at": self._clock.now() + LOOK_AGAIN_AFTER}
        await connection.execute(insert(erasures).values(later))
        await connection.execute(select(func.erase_from_audit_events(username, pseudonym, BATCH)))


class SqlUnfinishedErasures:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def finish_batch(self, now: datetime) -> int:
        async with self._database.transaction() as connection:
            found = await (await connection.execute(_NEXT, {"now": now})).fetchone()
            if found is None:
                return 0
            erasure = {"pseudonym": found[0], "username": found[1], "batch": BATCH}
            erased = await (await connection.execute(_ERASE, erasure)).fetchone()
            events = int(erased[0]) if erased else 0
            if not events:
                await connection.execute(_FORGET, erasure)
            return max(1, events)
