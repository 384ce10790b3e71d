import pytest

from gatehouse.accounts.application.commands.inactivate_user import InactivateUser
from gatehouse.accounts.domain.errors import UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import ForbiddenError
from gatehouse.testing.in_memory_app import InMemoryApp


@pytest.mark.promise("S8")
async def test_inactivation_ends_all_sessions_of_the_user() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    alice = app.add_user("alice")
    app.add_session(alice)

    await app.use(InactivateUser, admin)("alice")

    assert not app.user("alice").is_active
    assert app.sessions_of(alice) == set()


@pytest.mark.promise("Z10")
async def test_a_repeated_inactivation_changes_nothing() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    alice = app.add_user("alice", is_active=False)

    await app.use(InactivateUser, admin)("alice")

    assert app.user("alice") == alice


@pytest.mark.promise("Z2")
async def test_only_super_admins_inactivate_admins() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    app.add_user("other", Role.ADMIN)

    with pytest.raises(ForbiddenError):
        await app.use(InactivateUser, admin)("other")

    await app.use(InactivateUser, app.add_user("chief", Role.SUPER_ADMIN))("other")
    assert not app.user("other").is_active


@pytest.mark.promise("Z8")
async def test_a_plain_user_is_not_told_whether_the_target_exists() -> None:
    app = InMemoryApp()
    mallory = app.add_user("mallory")
    app.add_user("alice")

    for target in ("alice", "nobody"):
        with pytest.raises(ForbiddenError):
            await app.use(InactivateUser, mallory)(target)


async def test_an_unknown_user_is_not_found() -> None:
    app = InMemoryApp()

    with pytest.raises(UserNotFoundError):
        await app.use(InactivateUser, app.add_user("admin", Role.ADMIN))("nobody")
