from gatehouse.common.infrastructure.transaction import SqlTransaction
from sqlalchemy import insert, select

from lending.loans.domain.item import Item, ItemName
from lending.loans.infrastructure.tables import items


class SqlItems:
    def __init__(self, transaction: SqlTransaction) -> None:
        self._transaction = transaction

    async def add(self, item: Item) -> None:
        await self._transaction.connection.execute(insert(items).values(id=item.id, name=item.name.value))

    async def find(self, name: ItemName) -> Item | None:
        statement = select(items).where(items.c.name == name.value)
        row = (await self._transaction.connection.execute(statement)).one_or_none()
        return Item(row.id, ItemName(row.name)) if row else None
