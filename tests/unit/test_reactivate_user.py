import pytest

from gatehouse.accounts.application.commands.reactivate_user import ReactivateUser
from gatehouse.accounts.domain.errors import UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import ForbiddenError, UnauthenticatedError
from gatehouse.testing.in_memory_app import InMemoryApp


@pytest.mark.promise("S8")
async def test_reactivation_makes_the_user_active_without_opening_a_session() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    alice = app.add_user("alice", is_active=False)

    await app.use(ReactivateUser, admin)("alice")

    assert app.user("alice").is_active
    assert app.sessions_of(alice) == set()


@pytest.mark.promise("Z10")
async def test_a_repeated_reactivation_changes_nothing() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    alice = app.add_user("alice")
    session = app.add_session(alice)

    await app.use(ReactivateUser, admin)("alice")

    assert app.user("alice") == alice
    assert app.sessions_of(alice) == {session.id}


@pytest.mark.promise("Z2")
async def test_only_super_admins_reactivate_admins() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    app.add_user("other", Role.ADMIN, is_active=False)

    with pytest.raises(ForbiddenError):
        await app.use(ReactivateUser, admin)("other")
    assert not app.user("other").is_active

    await app.use(ReactivateUser, app.add_user("chief", Role.SUPER_ADMIN))("other")
    assert app.user("other").is_active


@pytest.mark.parametrize("target", ["alice", "nobody", "mallory"])
async def test_a_plain_user_is_not_told_whether_the_target_exists(target: str) -> None:
    app = InMemoryApp()
    mallory = app.add_user("mallory")
    app.add_user("alice", is_active=False)

    with pytest.raises(ForbiddenError):
        await app.use(ReactivateUser, mallory)(target)

    assert not app.user("alice").is_active


async def test_an_unknown_user_is_not_found() -> None:
    app = InMemoryApp()

    with pytest.raises(UserNotFoundError):
        await app.use(ReactivateUser, app.add_user("admin", Role.ADMIN))("nobody")


async def test_an_inactive_admin_cannot_reactivate_anybody() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN, is_active=False)
    app.add_user("alice", is_active=False)

    with pytest.raises(UnauthenticatedError):
        await app.use(ReactivateUser, admin)("alice")

    assert not app.user("alice").is_active
