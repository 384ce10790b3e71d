import pytest

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.queries.get_me import GetMe
from gatehouse.common.domain.errors import UnauthenticatedError
from tests.world import World


async def test_one_sees_ones_own_account() -> None:
    world = World()
    alice = world.add_user("alice")
    world.add_user("other")

    assert await world.use(GetMe, alice)() == Account.of(alice)


async def test_one_whose_account_is_gone_is_not_authenticated() -> None:
    world = World()
    get_me = world.use(GetMe, world.add_user("alice"))
    world.store.users.clear()

    with pytest.raises(UnauthenticatedError):
        await get_me()
