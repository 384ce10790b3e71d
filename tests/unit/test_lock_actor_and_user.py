from uuid import UUID

import pytest

from gatehouse.accounts import Role, User, Username, UserNotFoundError, Users, lock_actor_and_user
from gatehouse.common.domain.errors import ForbiddenError, UnauthenticatedError
from gatehouse.testing.accounts.fakes import FakeUsers
from gatehouse.testing.in_memory_app import InMemoryApp


class NobodyIsLocked(FakeUsers):
    async def lock_with_actor(self, actor_id: UUID, username: Username) -> tuple[User | None, User | None]:
        raise AssertionError(actor_id, username)


async def lock(app: InMemoryApp, caller: User, username: str) -> tuple[str, str]:
    async with app.transaction:
        users = app.get(Users, FakeUsers)
        locked = await lock_actor_and_user(users, app.identity_of(caller), Username(username), actor_is=Role.ADMIN)
    actor, user = locked
    return actor.username.value, user.username.value


@pytest.mark.parametrize("username", ["alice", "other", "chief", "admin"])
async def test_the_user_may_have_any_role_and_be_the_caller(username: str) -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    for name, role in (("alice", Role.USER), ("other", Role.ADMIN), ("chief", Role.SUPER_ADMIN)):
        app.add_user(name, role, is_active=False)

    assert await lock(app, admin, username) == ("admin", username)


async def test_who_is_not_there_is_told_to_those_who_may_know() -> None:
    app = InMemoryApp()
    admin, alice = app.add_user("admin", Role.ADMIN), app.add_user("alice")

    with pytest.raises(UserNotFoundError):
        await lock(app, admin, "nobody")
    with pytest.raises(ForbiddenError):
        await lock(app, alice, "nobody")


async def test_the_caller_is_judged_again_under_lock() -> None:
    app = InMemoryApp()
    admin, other = app.add_user("admin", Role.ADMIN), app.add_user("other", Role.ADMIN)
    app.user("admin").revoke_admin(app.clock.now())
    app.user("other").inactivate(app.clock.now())

    with pytest.raises(ForbiddenError):
        await lock(app, admin, "admin")
    with pytest.raises(UnauthenticatedError):
        await lock(app, other, "admin")


async def test_a_caller_without_the_role_locks_nobody() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")

    async with app.transaction:
        with pytest.raises(ForbiddenError):
            await lock_actor_and_user(
                NobodyIsLocked(app.transaction), app.identity_of(alice), Username("alice"), actor_is=Role.ADMIN
            )
