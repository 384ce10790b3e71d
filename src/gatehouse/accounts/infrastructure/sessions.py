"""Sessions, for commands inside a transaction and for authentication outside one."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from psycopg import AsyncCursor
from psycopg.rows import RowMaker
from sqlalchemy import delete, insert, select, update

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.ports import EndedSessions, LiveSession
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.session import Session, SessionLifetime
from gatehouse.accounts.domain.username import Username
from gatehouse.accounts.infrastructure.tables import sessions
from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.infrastructure.database_errors import DatabaseError
from gatehouse.common.infrastructure.transaction import SqlTransaction

_log = structlog.get_logger()


class SqlSessions:
    def __init__(self, transaction: SqlTransaction) -> None:
        self._transaction = transaction

    async def add(self, session: Session, *, keep: int) -> None:
        connection = self._transaction.connection
        # Of logins of one user, each holds the lock on the user's row, so that they count sessions one after the other.
        await connection.execute(insert(sessions).values(_to_row(session)))
        newest = (
            select(sessions.c.id)
            .where(sessions.c.user_id == session.user_id)
            .order_by(sessions.c.created_at.desc(), sessions.c.id.desc())
            .limit(keep)
        )
        surplus = delete(sessions).where(sessions.c.user_id == session.user_id, sessions.c.id.not_in(newest))
        await connection.execute(surplus)

    async def end(self, session_id: UUID, *, user_id: UUID) -> bool:
        statement = delete(sessions).where(sessions.c.id == session_id, sessions.c.user_id == user_id)
        return (await self._transaction.connection.execute(statement)).rowcount == 1

    async def replace_secret(self, session_id: UUID, *, user_id: UUID, secret_hash: bytes) -> datetime | None:
        statement = (
            update(sessions)
            .where(sessions.c.id == session_id, sessions.c.user_id == user_id)
            .values(secret_hash=secret_hash)
            .returning(sessions.c.expires_at)
        )
        expires_at: datetime | None = await self._transaction.connection.scalar(statement)
        return expires_at

    async def end_all_of(self, user_id: UUID, *, but: UUID | None = None) -> int:
        statement = delete(sessions).where(sessions.c.user_id == user_id)
        if but is not None:
            statement = statement.where(sessions.c.id != but)
        return (await self._transaction.connection.execute(statement)).rowcount

    async def end_batch(self, *, opened_until: datetime, after: bytes) -> EndedSessions:
        connection, key = self._transaction.connection, sessions.c.secret_hash
        # Locked in one order, so that two who do so do not deadlock.
        batch = select(key).where(key > after).order_by(key).limit(_BATCH).with_for_update()
        keys = (await connection.scalars(batch)).all()
        if not keys:
            return EndedSessions(0, None)
        old = delete(sessions).where(key > after, key <= keys[-1], sessions.c.created_at <= opened_until)
        return EndedSessions((await connection.execute(old)).rowcount, keys[-1])


_BATCH: Final = 1000
_FIND: Final = """
    SELECT sessions.user_id, sessions.id, users.username, users.role, users.must_change_password, sessions.last_seen_at
    FROM sessions JOIN users ON users.id = sessions.user_id
    WHERE sessions.secret_hash = %(secret_hash)s AND users.is_active
        AND sessions.idle_expires_at > %(now)s AND sessions.expires_at > %(now)s
"""
# PostgreSQL checks last_seen_at again after waiting for the row, so that of many parallel calls only one writes.
_RENEW: Final = """
    UPDATE sessions SET last_seen_at = %(seen_at)s, idle_expires_at = least(%(idle_expires_at)s, expires_at)
    WHERE secret_hash = %(secret_hash)s AND last_seen_at <= %(if_unseen_since)s
"""


class SqlLiveSessions:
    def __init__(self, database: Database, lifetime: SessionLifetime) -> None:
        self._database = database
        self._idle: timedelta = lifetime.idle

    async def find(self, secret_hash: bytes, now: datetime) -> LiveSession | None:
        return await self._database.fetch_one(_FIND, {"secret_hash": secret_hash, "now": now}, _live_session)

    async def renew(self, secret_hash: bytes, *, seen_at: datetime, if_unseen_since: datetime) -> None:
        parameters = {
            "secret_hash": secret_hash,
            "seen_at": seen_at,
            "idle_expires_at": seen_at + self._idle,
            "if_unseen_since": if_unseen_since,
        }
        try:
            await self._database.execute(_RENEW, parameters)
        except (UnavailableError, DatabaseError):
            _log.warning("session_not_renewed")


def _live_session(_: AsyncCursor[LiveSession]) -> RowMaker[LiveSession]:
    return lambda row: LiveSession(Identity(row[0], row[1], Username(row[2]), Role(row[3]), row[4]), row[5])


def _to_row(session: Session) -> dict[str, object]:
    return {
        "secret_hash": session.secret_hash,
        "id": session.id,
        "user_id": session.user_id,
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "idle_expires_at": session.idle_expires_at,
        "expires_at": session.expires_at,
        "ip": session.ip,
        "user_agent": session.user_agent,
    }
