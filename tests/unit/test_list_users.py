import pytest

from app.application.queries.list_users import ListUsers, SortingOrder, UserListRequest
from app.domain.errors import ForbiddenError
from app.domain.role import Role
from tests.fakes import World


@pytest.mark.parametrize("caller", [Role.ADMIN, Role.SUPER_ADMIN])
async def test_admins_list_all_accounts_by_username(caller: Role) -> None:
    world = World()
    world.add_user("carol", is_active=False)
    world.add_user("alice", Role.SUPER_ADMIN)

    page = await world.use(ListUsers, world.add_user("bobby", caller))(UserListRequest())

    assert [account.username for account in page.users] == ["alice", "bobby", "carol"]
    assert page.total is None


async def test_the_request_is_obeyed() -> None:
    world = World()
    admin = world.add_user("admin", Role.ADMIN)
    for username in ("alice", "bobby", "carol"):
        world.add_user(username)
    request = UserListRequest(
        role=Role.USER, is_active=True, sorting_order=SortingOrder.DESC, offset=1, limit=1, with_total=True
    )

    page = await world.use(ListUsers, admin)(request)

    assert [account.username for account in page.users] == ["bobby"]
    assert page.total == 3


async def test_plain_users_list_nobody() -> None:
    world = World()

    with pytest.raises(ForbiddenError):
        await world.use(ListUsers, world.add_user("mallory"))(UserListRequest())
