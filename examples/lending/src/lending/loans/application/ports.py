"""What the commands need from the database. Only usable inside a transaction."""

from typing import Protocol
from uuid import UUID

from lending.loans.domain.item import Item, ItemName
from lending.loans.domain.loan import Loan


class Items(Protocol):
    async def add(self, item: Item) -> None:
        """Raises ItemExistsError."""

    async def find(self, name: ItemName) -> Item | None: ...


class Loans(Protocol):
    async def add(self, loan: Loan) -> None:
        """Raises ItemLentError."""

    async def count_of(self, user_id: UUID) -> int:
        """How many items the user has. Lock the user first: then it stays true until the transaction ends."""

    async def lock_of(self, item_id: UUID) -> Loan | None:
        """The loan of an item that is out. Users come first, where both are locked."""

    async def remove(self, loan: Loan) -> None: ...
