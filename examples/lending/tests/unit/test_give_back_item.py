import pytest
from gatehouse.accounts import Role
from gatehouse.testing.in_memory_app import InMemoryApp

from lending.loans.application.commands.add_item import AddItem
from lending.loans.application.commands.give_back_item import GiveBackItem
from lending.loans.application.commands.lend_item import LendItem
from lending.loans.domain.errors import ItemNotFoundError, ItemNotLentError
from tests.fakes import LoansState


async def test_what_is_back_can_be_lent_again_and_its_history_is_in_the_trail() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    app.add_user("alice")
    app.add_user("bobby")
    item_id = await app.use(AddItem, admin)("drill")
    await app.use(LendItem, admin)("alice", "drill")

    await app.use(GiveBackItem, admin)("drill")
    await app.use(LendItem, admin)("bobby", "drill")

    assert len(app.store[LoansState].loans) == 1
    history = [event for event in app.store.events if event.subject and event.subject.id == str(item_id)]
    actions = ["add_item", "lend_item", "give_back_item", "lend_item"]
    assert [event.action for event in history] == actions


async def test_what_nobody_has_or_what_is_not_there_is_not_given_back() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    await app.use(AddItem, admin)("drill")

    with pytest.raises(ItemNotLentError):
        await app.use(GiveBackItem, admin)("drill")
    with pytest.raises(ItemNotFoundError):
        await app.use(GiveBackItem, admin)("hammer")

    assert [event.action for event in app.store.events] == ["add_item"]
