import pytest

from gatehouse.accounts.application.commands.end_user_sessions import EndUserSessions
from gatehouse.accounts.domain.errors import UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import ForbiddenError, UnauthenticatedError
from gatehouse.testing.in_memory_app import InMemoryApp

MANAGED = [(Role.ADMIN, Role.USER), (Role.SUPER_ADMIN, Role.USER), (Role.SUPER_ADMIN, Role.ADMIN)]
OTHERS = [(caller, role) for caller in Role for role in Role if (caller, role) not in MANAGED]


@pytest.mark.parametrize(("caller", "role"), MANAGED)
async def test_admins_end_all_sessions_of_a_subordinate_who_stays_active(caller: Role, role: Role) -> None:
    app = InMemoryApp()
    admin, alice = app.add_user("admin", caller), app.add_user("alice", role)
    own_session = app.add_session(admin, "the admin's")
    app.add_session(alice, "one browser")
    app.add_session(alice, "another browser")

    await app.use(EndUserSessions, admin)("Alice")

    assert app.sessions_of(alice) == set()
    assert app.sessions_of(admin) == {own_session.id}
    assert app.user("alice") == alice


@pytest.mark.promise("Z2")
@pytest.mark.parametrize(("caller", "role"), OTHERS)
async def test_nobody_ends_the_sessions_of_an_equal_or_a_higher(caller: Role, role: Role) -> None:
    app = InMemoryApp()
    alice = app.add_user("alice", role)
    session = app.add_session(alice)

    with pytest.raises(ForbiddenError):
        await app.use(EndUserSessions, app.add_user("caller", caller))("alice")

    assert app.sessions_of(alice) == {session.id}


@pytest.mark.promise("Z2")
@pytest.mark.parametrize("role", Role)
async def test_ones_own_sessions_are_ended_elsewhere(role: Role) -> None:
    app = InMemoryApp()
    caller = app.add_user("caller", role)
    session = app.add_session(caller)

    with pytest.raises(ForbiddenError):
        await app.use(EndUserSessions, caller)("caller")

    assert app.sessions_of(caller) == {session.id}


@pytest.mark.promise("Z8")
async def test_a_plain_user_is_not_told_whether_the_target_exists() -> None:
    app = InMemoryApp()
    app.add_user("alice")

    with pytest.raises(ForbiddenError):
        await app.use(EndUserSessions, app.add_user("mallory"))("nobody")


async def test_an_unknown_user_is_not_found() -> None:
    app = InMemoryApp()

    with pytest.raises(UserNotFoundError):
        await app.use(EndUserSessions, app.add_user("admin", Role.ADMIN))("nobody")


async def test_an_admin_who_has_been_inactivated_ends_nothing() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    session = app.add_session(alice)

    with pytest.raises(UnauthenticatedError):
        await app.use(EndUserSessions, app.add_user("admin", Role.ADMIN, is_active=False))("alice")

    assert app.sessions_of(alice) == {session.id}
