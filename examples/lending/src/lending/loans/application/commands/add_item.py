from typing import ClassVar
from uuid import UUID

from gatehouse.accounts import Identity, Role, Users, lock_actor
from gatehouse.common.application.ports import Audit, Transaction
from gatehouse.common.application.use_case import command
from uuid6 import uuid7

from lending.loans.application.ports import Items
from lending.loans.domain.item import Item, ItemName


@command
class AddItem:
    """Admins add what can be lent, under a name of its own."""

    action: ClassVar = "add_item"

    identity: Identity
    users: Users
    items: Items
    audit: Audit
    transaction: Transaction

    async def __call__(self, item: str) -> UUID:
        async with self.transaction:
            actor = await lock_actor(self.users, self.identity, actor_is=Role.ADMIN)
            added = Item(uuid7(), ItemName(item))
            await self.items.add(added)
            await self.audit.record(self.action, actor=actor.username.value, subject=added.subject)
        return added.id
