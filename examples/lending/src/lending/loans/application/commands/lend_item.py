from typing import ClassVar
from uuid import UUID

from gatehouse.accounts import Identity, Role, Username, Users, lock_actor_and_user
from gatehouse.common.application.ports import Audit, Clock, Transaction
from gatehouse.common.application.use_case import command

from lending.loans.application.ports import Items, Loans
from lending.loans.domain.errors import ItemNotFoundError
from lending.loans.domain.item import ItemName
from lending.loans.domain.loan import Loan, LoanTerms


@command
class LendItem:
    """Admins lend an item to anybody with an active account, up to a number of items for each borrower."""

    action: ClassVar = "lend_item"

    identity: Identity
    users: Users
    items: Items
    loans: Loans
    terms: LoanTerms
    audit: Audit
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str, item: str) -> UUID:
        async with self.transaction:
            # Until the end nothing else is lent to this borrower, so that the count stays true, and nobody inactivates
            # the account. The item needs no lock: of two who lend it, one violates the constraint.
            actor, borrower = await lock_actor_and_user(
                self.users, self.identity, Username(username), actor_is=Role.ADMIN
            )
            lent = await self.items.find(ItemName(item))
            if lent is None:
                raise ItemNotFoundError
            present = await self.loans.count_of(borrower.id)
            loan = Loan.grant(lent, borrower, self.terms, self.clock.now(), present=present)
            await self.loans.add(loan)
            actor_name, target = actor.username.value, borrower.username.value
            await self.audit.record(self.action, actor=actor_name, target=target, subject=lent.subject)
        return loan.id
