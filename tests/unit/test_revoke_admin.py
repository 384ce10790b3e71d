import pytest

from gatehouse.accounts.application.commands.revoke_admin import RevokeAdmin
from gatehouse.accounts.domain.errors import UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import ForbiddenError
from gatehouse.testing.in_memory_app import InMemoryApp


@pytest.mark.promise("S10")
async def test_a_super_admin_makes_an_admin_a_plain_user() -> None:
    app = InMemoryApp()
    chief = app.add_user("chief", Role.SUPER_ADMIN)
    alice = app.add_user("alice", Role.ADMIN)
    session = app.add_session(alice)

    await app.use(RevokeAdmin, chief)("alice")

    assert app.user("alice").role is Role.USER
    assert app.sessions_of(alice) == {session.id}


@pytest.mark.promise("Z10")
async def test_a_repeated_revocation_changes_nothing() -> None:
    app = InMemoryApp()
    chief = app.add_user("chief", Role.SUPER_ADMIN)
    alice = app.add_user("alice")

    await app.use(RevokeAdmin, chief)("alice")

    assert app.user("alice") == alice


@pytest.mark.parametrize("caller", [Role.USER, Role.ADMIN])
@pytest.mark.parametrize("target", ["alice", "nobody", "caller"])
async def test_nobody_else_revokes_or_is_told_whether_the_target_exists(caller: Role, target: str) -> None:
    app = InMemoryApp()
    app.add_user("alice", Role.ADMIN)

    with pytest.raises(ForbiddenError):
        await app.use(RevokeAdmin, app.add_user("caller", caller))(target)

    assert app.user("alice").role is Role.ADMIN
    assert app.user("caller").role is caller


@pytest.mark.parametrize("target", ["chief", "other"])
async def test_a_super_admin_is_never_made_a_plain_user(target: str) -> None:
    app = InMemoryApp()
    chief = app.add_user("chief", Role.SUPER_ADMIN)
    app.add_user("other", Role.SUPER_ADMIN)

    with pytest.raises(ForbiddenError):
        await app.use(RevokeAdmin, chief)(target)

    assert app.user(target).role is Role.SUPER_ADMIN


async def test_an_unknown_user_is_not_found() -> None:
    app = InMemoryApp()

    with pytest.raises(UserNotFoundError):
        await app.use(RevokeAdmin, app.add_user("chief", Role.SUPER_ADMIN))("nobody")
