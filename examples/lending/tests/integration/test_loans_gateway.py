import pytest
from gatehouse.accounts import User
from gatehouse.testing.contract import Gateways
from uuid6 import uuid7

from lending.loans.application.ports import Items, Loans
from lending.loans.domain.errors import ItemLentError
from lending.loans.domain.item import Item, ItemName
from lending.loans.domain.loan import Loan
from tests.fakes import TERMS


async def new_item(gateways: Gateways, name: str = "drill") -> Item:
    items: Items = await gateways.get(Items)
    item = Item(uuid7(), ItemName(name))
    async with gateways.transaction:
        await items.add(item)
    return item


def loan_of(item: Item, borrower: User, gateways: Gateways) -> Loan:
    return Loan.grant(item, borrower, TERMS, gateways.clock.now(), present=0)


async def test_what_is_added_is_found_and_counted_until_it_is_removed(gateways: Gateways) -> None:
    loans: Loans = await gateways.get(Loans)
    alice, bobby = await gateways.add_user("alice"), await gateways.add_user("bobby")
    drill, saw = await new_item(gateways, "drill"), await new_item(gateways, "saw")
    loan = loan_of(drill, alice, gateways)
    async with gateways.transaction:
        await loans.add(loan)

    async with gateways.transaction:
        assert (await loans.lock_of(drill.id), await loans.lock_of(saw.id)) == (loan, None)
        assert (await loans.count_of(alice.id), await loans.count_of(bobby.id)) == (1, 0)
        await loans.remove(loan)
        assert (await loans.lock_of(drill.id), await loans.count_of(alice.id)) == (None, 0)


async def test_an_item_is_lent_once(gateways: Gateways) -> None:
    loans: Loans = await gateways.get(Loans)
    alice, bobby = await gateways.add_user("alice"), await gateways.add_user("bobby")
    drill = await new_item(gateways)

    with pytest.raises(ItemLentError):
        async with gateways.transaction:
            await loans.add(loan_of(drill, alice, gateways))
            await loans.add(loan_of(drill, bobby, gateways))

    async with gateways.transaction:
        assert await loans.lock_of(drill.id) is None
