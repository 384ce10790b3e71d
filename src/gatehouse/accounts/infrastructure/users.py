"""Users for commands: whole entities, locked until the command's transaction ends."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, insert, or_, select, update
from typing_extensions import deprecated

from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.accounts.infrastructure.tables import ERASED, users
from gatehouse.common.infrastructure.transaction import SqlTransaction


class SqlUsers:
    """Locks are FOR NO KEY UPDATE: strong enough against other writers, and no foreign key check waits for them."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._transaction = transaction

    async def add(self, user: User) -> None:
        await self._transaction.connection.execute(insert(users).values(to_row(user)))

    async def save(self, user: User) -> None:
        await self._transaction.connection.execute(update(users).where(users.c.id == user.id).values(to_row(user)))

    async def erase(self, user: User, now: datetime) -> None:
        nothing = {"is_active": False, "password_hash": "", "must_change_password": False, "last_login_at": None}
        shell = {"username": user.pseudonym, "role": ERASED, "updated_at": now, **nothing}
        await self._transaction.connection.execute(update(users).where(users.c.id == user.id).values(shell))

    async def find(self, username: Username) -> User | None:
        result = await self._transaction.connection.execute(select(users).where(users.c.username == username.value))
        row = result.one_or_none()
        return _to_user(row) if row else None

    async def lock(self, username: Username) -> User | None:
        matches = await self._lock_where(users.c.username == username.value)
        return matches[0] if matches else None

    async def lock_by_id(self, user_id: UUID) -> User | None:
        matches = await self._lock_where(users.c.id == user_id)
        return matches[0] if matches else None

    @deprecated("use lock_by_id")
    async def lock_for_login(self, user_id: UUID) -> User | None:
        return await self.lock_by_id(user_id)

    async def lock_with_actor(self, actor_id: UUID, username: Username) -> tuple[User | None, User | None]:
        matches = await self._lock_where(or_(users.c.id == actor_id, users.c.username == username.value))
        actor = next((match for match in matches if match.id == actor_id), None)
        user = next((match for match in matches if match.username == username), None)
        return actor, user

    async def lock_with_active_super_admins(self, username: Username) -> tuple[User | None, list[User]]:
        is_active_super_admin = and_(users.c.role == Role.SUPER_ADMIN.value, users.c.is_active)
        matches = await self._lock_where(or_(is_active_super_admin, users.c.username == username.value))
        user = next((match for match in matches if match.username == username), None)
        return user, [match for match in matches if match.role is Role.SUPER_ADMIN and match.is_active]

    async def _lock_where(self, condition: ColumnElement[bool]) -> list[User]:
        # ORDER BY id: every transaction locks its rows in the same order, so they cannot deadlock.
        # Checked again after waiting for a row: the user may have been erased meanwhile.
        statement = (
            select(users).where(condition, users.c.role != ERASED).order_by(users.c.id).with_for_update(key_share=True)
        )
        return [_to_user(row) for row in await self._transaction.connection.execute(statement)]


def to_row(user: User) -> dict[str, object]:
    return {
        "id": user.id,
        "username": user.username.value,
        "role": user.role.value,
        "is_active": user.is_active,
        "password_hash": user.password_hash,
        "must_change_password": user.must_change_password,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
        "last_login_at": user.last_login_at,
    }


def _to_user(row: Row[Sequence[object]]) -> User:
    return User(
        id=row.id,
        username=Username(row.username),
        role=Role(row.role),
        is_active=row.is_active,
        password_hash=row.password_hash,
        must_change_password=row.must_change_password,
        created_at=row.created_at,
        updated_at=row.updated_at,
        last_login_at=row.last_login_at,
    )
