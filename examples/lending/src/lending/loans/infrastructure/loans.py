from dataclasses import asdict
from uuid import UUID

from gatehouse.common.infrastructure.transaction import SqlTransaction
from sqlalchemy import delete, func, insert, select

from lending.loans.domain.loan import Loan
from lending.loans.infrastructure.tables import loans


class SqlLoans:
    def __init__(self, transaction: SqlTransaction) -> None:
        self._transaction = transaction

    async def add(self, loan: Loan) -> None:
        await self._transaction.connection.execute(insert(loans).values(asdict(loan)))

    async def count_of(self, user_id: UUID) -> int:
        statement = select(func.count()).select_from(loans).where(loans.c.user_id == user_id)
        return (await self._transaction.connection.execute(statement)).scalar_one()

    async def lock_of(self, item_id: UUID) -> Loan | None:
        statement = select(loans).where(loans.c.item_id == item_id).with_for_update()
        row = (await self._transaction.connection.execute(statement)).one_or_none()
        return Loan(row.id, row.item_id, row.user_id, row.lent_at, row.due_at) if row else None

    async def remove(self, loan: Loan) -> None:
        await self._transaction.connection.execute(delete(loans).where(loans.c.id == loan.id))
