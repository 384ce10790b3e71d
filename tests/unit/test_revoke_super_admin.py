import pytest

from gatehouse.accounts.application.commands.revoke_super_admin import RevokeSuperAdmin
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import LastSuperAdminError, UserNotFoundError
from tests.world import World


@pytest.mark.parametrize("is_active", [True, False])
async def test_a_super_admin_becomes_a_plain_user_while_another_is_active(*, is_active: bool) -> None:
    world = World()
    world.add_user("chief", Role.SUPER_ADMIN)
    world.add_user("other", Role.SUPER_ADMIN, is_active=is_active)

    assert await world.use(RevokeSuperAdmin)("other")

    assert world.user("other").role is Role.USER
    assert world.user("chief").role is Role.SUPER_ADMIN


@pytest.mark.promise("Z3")
async def test_the_last_active_super_admin_stays() -> None:
    world = World()
    world.add_user("chief", Role.SUPER_ADMIN)
    world.add_user("inactive", Role.SUPER_ADMIN, is_active=False)

    with pytest.raises(LastSuperAdminError):
        await world.use(RevokeSuperAdmin)("chief")

    assert world.user("chief").role is Role.SUPER_ADMIN


@pytest.mark.parametrize("role", [Role.USER, Role.ADMIN])
async def test_one_who_is_no_super_admin_stays_unchanged(role: Role) -> None:
    world = World()
    world.add_user("chief", Role.SUPER_ADMIN)
    alice = world.add_user("alice", role)

    assert not await world.use(RevokeSuperAdmin)("alice")

    assert world.user("alice") == alice


async def test_an_unknown_user_is_not_found() -> None:
    world = World()
    world.add_user("chief", Role.SUPER_ADMIN)

    with pytest.raises(UserNotFoundError):
        await world.use(RevokeSuperAdmin)("nobody")
