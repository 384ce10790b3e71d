from datetime import timedelta

import pytest
from gatehouse.accounts import Role, User, UserNotFoundError
from gatehouse.common.domain.errors import ForbiddenError
from gatehouse.testing.in_memory_app import InMemoryApp

from lending.loans.application.commands.add_item import AddItem
from lending.loans.application.commands.lend_item import LendItem
from lending.loans.domain.errors import InactiveBorrowerError, ItemLentError, ItemNotFoundError, LoanLimitError
from tests.fakes import TERMS, LoansState


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()


@pytest.fixture
async def admin(app: InMemoryApp) -> User:
    """Has added more items than one borrower may have."""
    admin = app.add_user("admin", Role.ADMIN)
    for number in range(TERMS.max_per_borrower + 1):
        await app.use(AddItem, admin)(f"drill {number}")
    return admin


async def test_an_item_is_lent_until_its_period_ends_and_the_event_names_both(app: InMemoryApp, admin: User) -> None:
    alice = app.add_user("alice")

    loan_id = await app.use(LendItem, admin)("alice", "drill 0")

    [loan] = app.store[LoansState].loans.values()
    assert (loan.id, loan.user_id, loan.due_at) == (loan_id, alice.id, app.clock.now() + timedelta(days=14))
    event, subject = app.store.events[-1], app.store[LoansState].items[loan.item_id].subject
    assert (event.action, event.actor, event.target, event.subject) == ("lend_item", "admin", "alice", subject)


async def test_a_borrower_has_no_more_than_the_limit(app: InMemoryApp, admin: User) -> None:
    app.add_user("alice")
    for number in range(TERMS.max_per_borrower):
        await app.use(LendItem, admin)("alice", f"drill {number}")

    with pytest.raises(LoanLimitError):
        await app.use(LendItem, admin)("alice", f"drill {TERMS.max_per_borrower}")

    assert len(app.store[LoansState].loans) == TERMS.max_per_borrower


async def test_an_item_is_in_one_place_at_a_time(app: InMemoryApp, admin: User) -> None:
    app.add_user("alice")
    app.add_user("bobby")
    await app.use(LendItem, admin)("alice", "drill 0")

    with pytest.raises(ItemLentError):
        await app.use(LendItem, admin)("bobby", "drill 0")


async def test_borrower_and_item_must_be_there_and_the_account_active(app: InMemoryApp, admin: User) -> None:
    app.add_user("alice")
    app.add_user("inactive", is_active=False)

    with pytest.raises(UserNotFoundError):
        await app.use(LendItem, admin)("nobody", "drill 0")
    with pytest.raises(ItemNotFoundError):
        await app.use(LendItem, admin)("alice", "hammer")
    with pytest.raises(InactiveBorrowerError):
        await app.use(LendItem, admin)("inactive", "drill 0")

    assert app.store[LoansState].loans == {}


async def test_nobody_but_an_admin_lends(app: InMemoryApp, admin: User) -> None:
    alice = app.add_user("alice")

    with pytest.raises(ForbiddenError):
        await app.use(LendItem, alice)("alice", "drill 0")

    assert admin is not None
    assert app.store[LoansState].loans == {}
