from typing import ClassVar

from gatehouse.accounts import Identity, Role, Users, lock_actor
from gatehouse.common.application.ports import Audit, Transaction
from gatehouse.common.application.use_case import command

from lending.loans.application.ports import Items, Loans
from lending.loans.domain.errors import ItemNotFoundError, ItemNotLentError
from lending.loans.domain.item import ItemName


@command
class GiveBackItem:
    """Admins take an item back, whoever had it."""

    action: ClassVar = "give_back_item"

    identity: Identity
    users: Users
    items: Items
    loans: Loans
    audit: Audit
    transaction: Transaction

    async def __call__(self, item: str) -> None:
        async with self.transaction:
            actor = await lock_actor(self.users, self.identity, actor_is=Role.ADMIN)
            lent = await self.items.find(ItemName(item))
            if lent is None:
                raise ItemNotFoundError
            # Locked, so that of two who take it back one finds nothing, and there is one event.
            loan = await self.loans.lock_of(lent.id)
            if loan is None:
                raise ItemNotLentError
            await self.loans.remove(loan)
            await self.audit.record(self.action, actor=actor.username.value, subject=lent.subject)
