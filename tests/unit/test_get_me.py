import pytest

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.queries.get_me import GetMe
from gatehouse.common.domain.errors import UnauthenticatedError
from gatehouse.testing.in_memory_app import InMemoryApp


async def test_one_sees_ones_own_account() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    app.add_user("other")

    assert await app.use(GetMe, alice)() == Account.of(alice)


async def test_one_whose_account_is_gone_is_not_authenticated() -> None:
    app = InMemoryApp()
    get_me = app.use(GetMe, app.add_user("alice"))
    app.store.users.clear()

    with pytest.raises(UnauthenticatedError):
        await get_me()
