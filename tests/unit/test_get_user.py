import pytest

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.queries.get_user import GetUser
from gatehouse.accounts.domain.errors import UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import ForbiddenError, InvalidError
from gatehouse.testing.in_memory_app import InMemoryApp


@pytest.mark.parametrize("caller", [Role.ADMIN, Role.SUPER_ADMIN])
@pytest.mark.parametrize("role", Role)
async def test_admins_see_any_account(caller: Role, role: Role) -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", caller)
    alice = app.add_user("alice", role, is_active=False)

    assert await app.use(GetUser, admin)("Alice") == Account.of(alice)


@pytest.mark.parametrize("username", ["alice", "mallory", "nobody", "not a name"])
async def test_a_plain_user_is_not_told_whether_an_account_exists(username: str) -> None:
    app = InMemoryApp()
    app.add_user("alice")

    with pytest.raises(ForbiddenError):
        await app.use(GetUser, app.add_user("mallory"))(username)


async def test_an_unknown_user_is_not_found() -> None:
    app = InMemoryApp()

    with pytest.raises(UserNotFoundError):
        await app.use(GetUser, app.add_user("admin", Role.ADMIN))("nobody")


async def test_what_is_no_username_is_invalid() -> None:
    app = InMemoryApp()

    with pytest.raises(InvalidError) as refusal:
        await app.use(GetUser, app.add_user("admin", Role.ADMIN))("not a name")

    assert refusal.value.field == "username"
