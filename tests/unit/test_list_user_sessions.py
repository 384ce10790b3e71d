import pytest

from gatehouse.accounts.application.queries.list_user_sessions import ListUserSessions
from gatehouse.accounts.domain.errors import UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import ForbiddenError, InvalidError
from gatehouse.testing.in_memory_app import InMemoryApp

MANAGED = [(Role.ADMIN, Role.USER), (Role.SUPER_ADMIN, Role.USER), (Role.SUPER_ADMIN, Role.ADMIN)]
OTHERS = [(caller, role) for caller in Role for role in Role if (caller, role) not in MANAGED]


@pytest.mark.parametrize(("caller", "role"), MANAGED)
async def test_admins_see_the_sessions_of_a_subordinate_none_of_which_is_their_own(caller: Role, role: Role) -> None:
    app = InMemoryApp()
    admin, alice = app.add_user("admin", caller), app.add_user("alice", role)
    app.add_session(admin, "the admin's")
    session = app.add_session(alice, "the user's")

    sessions = (await app.use(ListUserSessions, admin)("ALICE")).sessions

    assert [(view.id, view.is_current) for view in sessions] == [(session.id, False)]


@pytest.mark.promise("Z2")
@pytest.mark.parametrize(("caller", "role"), OTHERS)
async def test_nobody_sees_the_sessions_of_an_equal_or_a_higher(caller: Role, role: Role) -> None:
    app = InMemoryApp()
    app.add_user("alice", role)

    with pytest.raises(ForbiddenError):
        await app.use(ListUserSessions, app.add_user("caller", caller))("alice")


@pytest.mark.promise("Z8")
@pytest.mark.parametrize("username", ["alice", "nobody", "mallory", "not a name"])
async def test_a_plain_user_is_not_told_whether_an_account_exists(username: str) -> None:
    app = InMemoryApp()
    app.add_user("alice")

    with pytest.raises(ForbiddenError):
        await app.use(ListUserSessions, app.add_user("mallory"))(username)


async def test_an_unknown_user_is_not_found() -> None:
    app = InMemoryApp()

    with pytest.raises(UserNotFoundError):
        await app.use(ListUserSessions, app.add_user("admin", Role.ADMIN))("nobody")


async def test_what_is_no_username_is_invalid() -> None:
    app = InMemoryApp()

    with pytest.raises(InvalidError) as refusal:
        await app.use(ListUserSessions, app.add_user("admin", Role.ADMIN))("not a name")

    assert refusal.value.field == "username"
