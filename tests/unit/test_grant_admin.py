import pytest

from gatehouse.accounts.application.commands.grant_admin import GrantAdmin
from gatehouse.accounts.domain.errors import UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import ForbiddenError
from gatehouse.testing.in_memory_app import InMemoryApp


async def test_a_super_admin_makes_a_user_an_admin() -> None:
    app = InMemoryApp()
    chief = app.add_user("chief", Role.SUPER_ADMIN)
    app.add_user("alice")

    await app.use(GrantAdmin, chief)("alice")

    assert app.user("alice").role is Role.ADMIN


@pytest.mark.promise("S18")
async def test_a_grant_ends_the_sessions_of_the_new_admin_and_of_nobody_else() -> None:
    app = InMemoryApp()
    chief, alice = app.add_user("chief", Role.SUPER_ADMIN), app.add_user("alice")
    app.add_session(alice, "here")
    app.add_session(alice, "there")
    of_chief = app.add_session(chief, "the chief's")

    await app.use(GrantAdmin, chief)("alice")

    assert app.sessions_of(alice) == set()
    assert app.sessions_of(chief) == {of_chief.id}


@pytest.mark.promise("Z10")
async def test_a_repeated_grant_changes_nothing() -> None:
    app = InMemoryApp()
    chief = app.add_user("chief", Role.SUPER_ADMIN)
    alice = app.add_user("alice", Role.ADMIN)
    session = app.add_session(alice)

    await app.use(GrantAdmin, chief)("alice")

    assert app.user("alice") == alice
    assert app.sessions_of(alice) == {session.id}


@pytest.mark.parametrize("caller", [Role.USER, Role.ADMIN])
@pytest.mark.parametrize("target", ["alice", "nobody", "caller"])
async def test_nobody_else_grants_or_is_told_whether_the_target_exists(caller: Role, target: str) -> None:
    app = InMemoryApp()
    app.add_user("alice")

    with pytest.raises(ForbiddenError):
        await app.use(GrantAdmin, app.add_user("caller", caller))(target)

    assert app.user("alice").role is Role.USER
    assert app.user("caller").role is caller


@pytest.mark.parametrize("target", ["chief", "other"])
async def test_a_super_admin_is_never_made_an_admin(target: str) -> None:
    app = InMemoryApp()
    chief = app.add_user("chief", Role.SUPER_ADMIN)
    app.add_user("other", Role.SUPER_ADMIN)

    with pytest.raises(ForbiddenError):
        await app.use(GrantAdmin, chief)(target)

    assert app.user(target).role is Role.SUPER_ADMIN


async def test_an_unknown_user_is_not_found() -> None:
    app = InMemoryApp()

    with pytest.raises(UserNotFoundError):
        await app.use(GrantAdmin, app.add_user("chief", Role.SUPER_ADMIN))("nobody")
