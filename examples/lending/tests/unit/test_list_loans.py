import pytest
from gatehouse.accounts import Role
from gatehouse.common.domain.errors import ForbiddenError, InvalidError
from gatehouse.testing.in_memory_app import InMemoryApp

from lending.loans.application.commands.add_item import AddItem
from lending.loans.application.commands.lend_item import LendItem
from lending.loans.application.queries.list_loans import ListLoans, LoanListRequest


async def test_admins_see_who_has_what() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    for borrower, item in (("alice", "drill"), ("bobby", "saw")):
        app.add_user(borrower)
        await app.use(AddItem, admin)(item)
        await app.use(LendItem, admin)(borrower, item)

    everything = await app.use(ListLoans, admin)(LoanListRequest())
    of_alice = await app.use(ListLoans, admin)(LoanListRequest(username="Alice"))

    assert [(loan.item, loan.username) for loan in everything.loans] == [("drill", "alice"), ("saw", "bobby")]
    assert [loan.item for loan in of_alice.loans] == ["drill"]


async def test_others_do_not() -> None:
    app = InMemoryApp()

    with pytest.raises(ForbiddenError):
        await app.use(ListLoans, app.add_user("alice"))(LoanListRequest())


@pytest.mark.parametrize("request_", [LoanListRequest(username="no name!"), LoanListRequest(cursor="x", offset=1)])
async def test_what_cannot_be_asked_for_is_refused(request_: LoanListRequest) -> None:
    app = InMemoryApp()

    with pytest.raises(InvalidError):
        await app.use(ListLoans, app.add_user("admin", Role.ADMIN))(request_)
