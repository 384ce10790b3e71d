"""In-memory stand-ins for the ports of loans. They pass the same contract as the gateways on PostgreSQL."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from gatehouse.common.application.paging import SortingOrder
from gatehouse.testing.fakes import FakeStore, FakeTransaction

from lending.loans.application.queries.list_loans import LoanList, LoanListRequest, LoanView
from lending.loans.domain.errors import ItemExistsError, ItemLentError
from lending.loans.domain.item import Item, ItemName
from lending.loans.domain.loan import Loan, LoanTerms

TERMS: Final = LoanTerms(max_per_borrower=3, period=timedelta(days=14))


@dataclass
class LoansState:
    items: dict[UUID, Item] = field(default_factory=dict)
    loans: dict[UUID, Loan] = field(default_factory=dict)


class FakeItems:
    def __init__(self, transaction: FakeTransaction) -> None:
        self._transaction = transaction

    async def add(self, item: Item) -> None:
        if await self.find(item.name) is not None:
            raise ItemExistsError
        self._transaction.store[LoansState].items[item.id] = item

    async def find(self, name: ItemName) -> Item | None:
        items = self._transaction.store[LoansState].items.values()
        return next((item for item in items if item.name == name), None)


class FakeLoans:
    def __init__(self, transaction: FakeTransaction) -> None:
        self._transaction = transaction

    async def add(self, loan: Loan) -> None:
        if await self.lock_of(loan.item_id) is not None:
            raise ItemLentError
        self._loans[loan.id] = loan

    async def count_of(self, user_id: UUID) -> int:
        return len([loan for loan in self._loans.values() if loan.user_id == user_id])

    async def lock_of(self, item_id: UUID) -> Loan | None:
        return next((loan for loan in self._loans.values() if loan.item_id == item_id), None)

    async def remove(self, loan: Loan) -> None:
        self._loans.pop(loan.id, None)

    @property
    def _loans(self) -> dict[UUID, Loan]:
        return self._transaction.store[LoansState].loans


class FakeLoanPages:
    """All on one page."""

    def __init__(self, store: FakeStore) -> None:
        self._store = store

    async def __call__(self, request: LoanListRequest) -> LoanList:
        views = [
            view
            for view in map(self._view, self._store[LoansState].loans.values())
            if request.username in (None, view.username)
            and (request.due_before is None or view.due_at < request.due_before)
        ]
        views.sort(
            key=lambda view: (getattr(view, request.sorting_field), view.id),
            reverse=request.sorting_order is SortingOrder.DESC,
        )
        return LoanList(views, None, len(views) if request.with_total else None)

    def _view(self, loan: Loan) -> LoanView:
        item, user = self._store[LoansState].items[loan.item_id], self._store.users[loan.user_id]
        return LoanView(loan.id, item.name.value, user.username.value, loan.lent_at, loan.due_at)
