"""What Gatehouse's checks are told of the module: the counterpart of module.py."""

from collections.abc import Mapping
from typing import Any, Final

from dishka import AsyncContainer
from gatehouse.accounts import User
from gatehouse.common.application.ports import Clock, Transaction
from gatehouse.testing.declaration import Call, Case, FaultCase, Fixtures, ModuleTests
from gatehouse.testing.fakes import Memory
from gatehouse.testing.harness import Harness
from gatehouse.testing.matrix import ACCOUNTS, SELF
from gatehouse.testing.running_app import RunningApp
from uuid6 import uuid7

from lending.loans.application.commands.add_item import AddItem
from lending.loans.application.commands.give_back_item import GiveBackItem
from lending.loans.application.commands.lend_item import LendItem
from lending.loans.application.ports import Items, Loans
from lending.loans.application.queries.list_loans import LoanPages
from lending.loans.domain.item import Item, ItemName
from lending.loans.domain.loan import Loan, LoanTerms
from lending.loans.module import MODULE
from tests.fakes import TERMS, FakeItems, FakeLoanPages, FakeLoans


def _fakes(memory: Memory) -> Mapping[object, object]:
    return {
        Items: FakeItems(memory.transaction),
        Loans: FakeLoans(memory.transaction),
        LoanPages: FakeLoanPages(memory.store),
        LoanTerms: TERMS,
    }


async def add_items(container: AsyncContainer, *names: str) -> list[Item]:
    """Past every rule, as what a test begins with."""
    added = [Item(uuid7(), ItemName(name)) for name in names]
    async with container() as request:
        items = await request.get(Items)
        async with await request.get(Transaction):
            for item in added:
                await items.add(item)
    return added


async def add_loan(container: AsyncContainer, name: str, borrower: User) -> None:
    [item] = await add_items(container, name)
    async with container() as request:
        loans, clock = await request.get(Loans), await request.get(Clock)
        async with await request.get(Transaction):
            await loans.add(Loan.grant(item, borrower, TERMS, clock.now(), present=0))


def _one_for_each(case: Case) -> dict[str, Any]:
    return {"username": case.username, "item": f"drill for {case.target}"}


async def _add_one_for_each(app: RunningApp) -> None:
    await add_items(app.container, *(f"drill for {target}" for target in (*ACCOUNTS, SELF)))


async def _lend_drill(app: RunningApp) -> None:
    await add_loan(app.container, "drill", await app.add_user("borrower"))


async def _add_drill(harness: Harness, _: Fixtures) -> None:
    await add_items(harness.container, "drill")


async def _lend_drill_to_alice(harness: Harness, fixtures: Fixtures) -> None:
    await add_loan(harness.container, "drill", fixtures.users["alice"])


TESTS: Final = ModuleTests(
    module=MODULE,
    package="lending.loans",
    calls=(
        Call(
            method="POST",
            path="/api/v1/items/",
            status=201,
            open_to="admin",
            body=lambda _: {"item": "drill"},
            touches=frozenset({"items"}),
        ),
        Call(
            method="POST",
            path="/api/v1/loans/",
            status=201,
            open_to="admin",
            acts_on="anyone",
            status_of_inactive=409,
            body=_one_for_each,
            seed=_add_one_for_each,
            touches=frozenset({"loans"}),
        ),
        Call(
            method="PATCH",
            path="/api/v1/loans/give_back",
            status=204,
            open_to="admin",
            body=lambda _: {"item": "drill"},
            seed=_lend_drill,
            touches=frozenset({"loans"}),
        ),
        Call(method="GET", path="/api/v1/loans/", status=200, open_to="admin", seed=_lend_drill),
    ),
    fault_cases=(
        FaultCase(command=AddItem, caller="admin", arguments=lambda _: ("drill",)),
        FaultCase(command=LendItem, caller="admin", arguments=lambda _: ("alice", "drill"), seed=_add_drill),
        FaultCase(command=GiveBackItem, caller="admin", arguments=lambda _: ("drill",), seed=_lend_drill_to_alice),
    ),
    problems={
        "item-exists": (409, "There is an item of this name."),
        "item-not-found": (404, "There is no such item."),
        "item-lent": (409, "Somebody has this item."),
        "item-not-lent": (409, "Nobody has this item."),
        "inactive-borrower": (409, "This account is inactive, so nothing is lent to it."),
        "loan-limit": (409, "This borrower has as many items as are lent to one person."),
    },
    fakes=_fakes,
    ports={Items: "tests/integration/test_items_gateway.py", Loans: "tests/integration/test_loans_gateway.py"},
)
