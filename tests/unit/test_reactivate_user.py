import pytest

from gatehouse.accounts.application.commands.reactivate_user import ReactivateUser
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import ForbiddenError, UnauthenticatedError, UserNotFoundError
from tests.world import World


@pytest.mark.promise("S8")
async def test_reactivation_makes_the_user_active_without_opening_a_session() -> None:
    world = World()
    admin = world.add_user("admin", Role.ADMIN)
    alice = world.add_user("alice", is_active=False)

    await world.use(ReactivateUser, admin)("alice")

    assert world.user("alice").is_active
    assert world.sessions_of(alice) == set()


@pytest.mark.promise("Z10")
async def test_a_repeated_reactivation_changes_nothing() -> None:
    world = World()
    admin = world.add_user("admin", Role.ADMIN)
    alice = world.add_user("alice")
    session = world.add_session(alice)

    await world.use(ReactivateUser, admin)("alice")

    assert world.user("alice") == alice
    assert world.sessions_of(alice) == {session.id}


@pytest.mark.promise("Z2")
async def test_only_super_admins_reactivate_admins() -> None:
    world = World()
    admin = world.add_user("admin", Role.ADMIN)
    world.add_user("other", Role.ADMIN, is_active=False)

    with pytest.raises(ForbiddenError):
        await world.use(ReactivateUser, admin)("other")
    assert not world.user("other").is_active

    await world.use(ReactivateUser, world.add_user("chief", Role.SUPER_ADMIN))("other")
    assert world.user("other").is_active


@pytest.mark.parametrize("target", ["alice", "nobody", "mallory"])
async def test_a_plain_user_is_not_told_whether_the_target_exists(target: str) -> None:
    world = World()
    mallory = world.add_user("mallory")
    world.add_user("alice", is_active=False)

    with pytest.raises(ForbiddenError):
        await world.use(ReactivateUser, mallory)(target)

    assert not world.user("alice").is_active


async def test_an_unknown_user_is_not_found() -> None:
    world = World()

    with pytest.raises(UserNotFoundError):
        await world.use(ReactivateUser, world.add_user("admin", Role.ADMIN))("nobody")


async def test_an_inactive_admin_cannot_reactivate_anybody() -> None:
    world = World()
    admin = world.add_user("admin", Role.ADMIN, is_active=False)
    world.add_user("alice", is_active=False)

    with pytest.raises(UnauthenticatedError):
        await world.use(ReactivateUser, admin)("alice")

    assert not world.user("alice").is_active
