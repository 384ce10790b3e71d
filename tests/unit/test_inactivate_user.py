import pytest

from gatehouse.accounts.application.commands.inactivate_user import InactivateUser
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import ForbiddenError, UserNotFoundError
from tests.world import World


@pytest.mark.promise("S8")
async def test_inactivation_ends_all_sessions_of_the_user() -> None:
    world = World()
    admin = world.add_user("admin", Role.ADMIN)
    alice = world.add_user("alice")
    world.add_session(alice)

    await world.use(InactivateUser, admin)("alice")

    assert not world.user("alice").is_active
    assert world.sessions_of(alice) == set()


@pytest.mark.promise("Z10")
async def test_a_repeated_inactivation_changes_nothing() -> None:
    world = World()
    admin = world.add_user("admin", Role.ADMIN)
    alice = world.add_user("alice", is_active=False)

    await world.use(InactivateUser, admin)("alice")

    assert world.user("alice") == alice


@pytest.mark.promise("Z2")
async def test_only_super_admins_inactivate_admins() -> None:
    world = World()
    admin = world.add_user("admin", Role.ADMIN)
    world.add_user("other", Role.ADMIN)

    with pytest.raises(ForbiddenError):
        await world.use(InactivateUser, admin)("other")

    await world.use(InactivateUser, world.add_user("chief", Role.SUPER_ADMIN))("other")
    assert not world.user("other").is_active


@pytest.mark.promise("Z8")
async def test_a_plain_user_is_not_told_whether_the_target_exists() -> None:
    world = World()
    mallory = world.add_user("mallory")
    world.add_user("alice")

    for target in ("alice", "nobody"):
        with pytest.raises(ForbiddenError):
            await world.use(InactivateUser, mallory)(target)


async def test_an_unknown_user_is_not_found() -> None:
    world = World()

    with pytest.raises(UserNotFoundError):
        await world.use(InactivateUser, world.add_user("admin", Role.ADMIN))("nobody")
