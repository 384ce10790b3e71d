import pytest
from gatehouse.accounts import Role
from gatehouse.common.domain.audit import Subject
from gatehouse.common.domain.errors import InvalidError
from gatehouse.testing.fakes import FakeEvent
from gatehouse.testing.in_memory_app import InMemoryApp

from lending.loans.application.commands.add_item import AddItem
from lending.loans.domain.errors import ItemExistsError
from tests.fakes import LoansState


def names(app: InMemoryApp) -> list[str]:
    return [item.name.value for item in app.store[LoansState].items.values()]


async def test_an_admin_adds_an_item_and_the_event_names_it() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)

    item_id = await app.use(AddItem, admin)("Bohrmaschine, grün")

    assert names(app) == ["Bohrmaschine, grün"]
    subject = Subject("item", str(item_id), "Bohrmaschine, grün")
    assert app.store.events == [FakeEvent("add_item", "admin", None, subject=subject)]


async def test_a_name_is_taken_once() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    await app.use(AddItem, admin)("drill")

    with pytest.raises(ItemExistsError):
        await app.use(AddItem, admin)("drill")

    assert names(app) == ["drill"]


@pytest.mark.parametrize("name", ["", " drill", "x" * 61, "two\nlines", "NUL \0", "half \ud800"])
async def test_what_is_no_name_is_refused(name: str) -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)

    with pytest.raises(InvalidError):
        await app.use(AddItem, admin)(name)

    assert names(app) == []
