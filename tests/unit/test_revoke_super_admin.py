import pytest

from gatehouse.accounts.application.commands.revoke_super_admin import RevokeSuperAdmin
from gatehouse.accounts.domain.errors import LastSuperAdminError, UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.testing.in_memory_app import InMemoryApp


@pytest.mark.parametrize("is_active", [True, False])
async def test_a_super_admin_becomes_a_plain_user_while_another_is_active(*, is_active: bool) -> None:
    app = InMemoryApp()
    app.add_user("chief", Role.SUPER_ADMIN)
    app.add_user("other", Role.SUPER_ADMIN, is_active=is_active)

    assert await app.use(RevokeSuperAdmin)("other")

    assert app.user("other").role is Role.USER
    assert app.user("chief").role is Role.SUPER_ADMIN


@pytest.mark.promise("Z3")
async def test_the_last_active_super_admin_stays() -> None:
    app = InMemoryApp()
    app.add_user("chief", Role.SUPER_ADMIN)
    app.add_user("inactive", Role.SUPER_ADMIN, is_active=False)

    with pytest.raises(LastSuperAdminError):
        await app.use(RevokeSuperAdmin)("chief")

    assert app.user("chief").role is Role.SUPER_ADMIN


@pytest.mark.parametrize("role", [Role.USER, Role.ADMIN])
async def test_one_who_is_no_super_admin_stays_unchanged(role: Role) -> None:
    app = InMemoryApp()
    app.add_user("chief", Role.SUPER_ADMIN)
    alice = app.add_user("alice", role)

    assert not await app.use(RevokeSuperAdmin)("alice")

    assert app.user("alice") == alice


async def test_an_unknown_user_is_not_found() -> None:
    app = InMemoryApp()
    app.add_user("chief", Role.SUPER_ADMIN)

    with pytest.raises(UserNotFoundError):
        await app.use(RevokeSuperAdmin)("nobody")
