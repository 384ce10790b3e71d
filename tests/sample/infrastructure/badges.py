from uuid import UUID

from sqlalchemy import Select, delete, insert, select

from gatehouse.common.infrastructure.transaction import SqlTransaction
from tests.sample.domain.badge import Badge
from tests.sample.infrastructure.tables import badges


class SqlBadges:
    def __init__(self, transaction: SqlTransaction) -> None:
        self._transaction = transaction

    async def add(self, badge: Badge) -> None:
        row = {"id": badge.id, "name": badge.name, "user_id": badge.user_id, "awarded_at": badge.awarded_at}
        await self._transaction.connection.execute(insert(badges).values(row))

    async def find(self, badge_id: UUID) -> Badge | None:
        return await self._fetch(select(badges).where(badges.c.id == badge_id))

    async def lock(self, badge_id: UUID) -> Badge | None:
        return await self._fetch(select(badges).where(badges.c.id == badge_id).with_for_update(key_share=True))

    async def remove(self, badge: Badge) -> None:
        await self._transaction.connection.execute(delete(badges).where(badges.c.id == badge.id))

    async def _fetch(self, statement: Select[tuple[object, ...]]) -> Badge | None:
        row = (await self._transaction.connection.execute(statement)).one_or_none()
        return Badge(row.id, row.name, row.user_id, row.awarded_at) if row else None
