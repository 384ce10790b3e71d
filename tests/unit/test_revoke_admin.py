import pytest

from gatehouse.accounts.application.commands.revoke_admin import RevokeAdmin
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import ForbiddenError, UserNotFoundError
from tests.world import World


async def test_a_super_admin_makes_an_admin_a_plain_user() -> None:
    world = World()
    chief = world.add_user("chief", Role.SUPER_ADMIN)
    alice = world.add_user("alice", Role.ADMIN)
    session = world.add_session(alice)

    await world.use(RevokeAdmin, chief)("alice")

    assert world.user("alice").role is Role.USER
    assert world.sessions_of(alice) == {session.id}


@pytest.mark.promise("Z10")
async def test_a_repeated_revocation_changes_nothing() -> None:
    world = World()
    chief = world.add_user("chief", Role.SUPER_ADMIN)
    alice = world.add_user("alice")

    await world.use(RevokeAdmin, chief)("alice")

    assert world.user("alice") == alice


@pytest.mark.parametrize("caller", [Role.USER, Role.ADMIN])
@pytest.mark.parametrize("target", ["alice", "nobody", "caller"])
async def test_nobody_else_revokes_or_is_told_whether_the_target_exists(caller: Role, target: str) -> None:
    world = World()
    world.add_user("alice", Role.ADMIN)

    with pytest.raises(ForbiddenError):
        await world.use(RevokeAdmin, world.add_user("caller", caller))(target)

    assert world.user("alice").role is Role.ADMIN
    assert world.user("caller").role is caller


@pytest.mark.parametrize("target", ["chief", "other"])
async def test_a_super_admin_is_never_made_a_plain_user(target: str) -> None:
    world = World()
    chief = world.add_user("chief", Role.SUPER_ADMIN)
    world.add_user("other", Role.SUPER_ADMIN)

    with pytest.raises(ForbiddenError):
        await world.use(RevokeAdmin, chief)(target)

    assert world.user(target).role is Role.SUPER_ADMIN


async def test_an_unknown_user_is_not_found() -> None:
    world = World()

    with pytest.raises(UserNotFoundError):
        await world.use(RevokeAdmin, world.add_user("chief", Role.SUPER_ADMIN))("nobody")
