import pytest

from gatehouse.accounts.application.commands.raise_to_super_admin import RaiseToSuperAdmin
from gatehouse.accounts.domain.errors import UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.testing.in_memory_app import InMemoryApp


@pytest.mark.promise("Z11")
@pytest.mark.parametrize("role", [Role.USER, Role.ADMIN])
@pytest.mark.parametrize("is_active", [True, False])
async def test_an_existing_user_is_raised_and_keeps_the_password(role: Role, *, is_active: bool) -> None:
    app = InMemoryApp()
    alice = app.add_user("alice", role, is_active=is_active)

    assert await app.use(RaiseToSuperAdmin)("Alice")

    user = app.user("alice")
    assert (user.role, user.is_active, user.password_hash) == (Role.SUPER_ADMIN, True, alice.password_hash)


@pytest.mark.promise("S18")
async def test_all_sessions_of_the_raised_user_end_and_those_of_nobody_else() -> None:
    app = InMemoryApp()
    alice, bobby = app.add_user("alice"), app.add_user("bobby")
    app.add_session(alice, "one")
    app.add_session(alice, "two")
    of_bobby = app.add_session(bobby, "three")

    await app.use(RaiseToSuperAdmin)("alice")

    assert app.sessions_of(alice) == set()
    assert app.sessions_of(bobby) == {of_bobby.id}


async def test_an_inactive_super_admin_is_made_active() -> None:
    app = InMemoryApp()
    app.add_user("chief", Role.SUPER_ADMIN, is_active=False)

    assert await app.use(RaiseToSuperAdmin)("chief")
    assert app.user("chief").is_active


async def test_an_active_super_admin_stays_unchanged_and_logged_in() -> None:
    app = InMemoryApp()
    chief = app.add_user("chief", Role.SUPER_ADMIN)
    session = app.add_session(chief)

    assert not await app.use(RaiseToSuperAdmin)("chief")
    assert app.user("chief") == chief
    assert app.sessions_of(chief) == {session.id}


@pytest.mark.promise("Z11")
async def test_nobody_is_created() -> None:
    app = InMemoryApp()

    with pytest.raises(UserNotFoundError):
        await app.use(RaiseToSuperAdmin)("nobody")

    assert app.store.users == {}
