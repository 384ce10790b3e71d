from dataclasses import replace
from datetime import timedelta

import pytest
from uuid6 import uuid7

from gatehouse.accounts.domain.errors import UsernameTakenError
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from tests.integration.conftest import Gateways

ALICE = Username("alice")
UNKNOWN = Username("nobody")


async def test_a_user_is_found_as_it_was_added(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice", Role.ADMIN, is_active=False)

    assert await gateways.find("alice") == alice


async def test_an_unknown_user_is_not_found_and_not_locked(gateways: Gateways) -> None:
    async with gateways.transaction:
        assert await gateways.users.find(UNKNOWN) is None
        assert await gateways.users.lock(UNKNOWN) is None
        assert await gateways.users.lock_by_id(uuid7()) is None
        assert await gateways.users.lock_with_actor(uuid7(), UNKNOWN) == (None, None)
        assert await gateways.users.lock_with_active_super_admins(UNKNOWN) == (None, [])


async def test_a_username_is_taken_once(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")

    with pytest.raises(UsernameTakenError):
        await gateways.add_user("ALICE", Role.ADMIN)

    assert await gateways.find("alice") == alice


async def test_what_was_written_before_a_taken_username_is_rolled_back(gateways: Gateways) -> None:
    await gateways.add_user("alice")
    now = gateways.clock.now()

    async def add_both() -> None:
        async with gateways.transaction:
            await gateways.users.add(User.create(Username("bobby"), Role.USER, "a hash", now))
            await gateways.users.add(User.create(ALICE, Role.USER, "a hash", now))

    with pytest.raises(UsernameTakenError):
        await add_both()

    assert await gateways.find("bobby") is None


async def test_saving_stores_every_change_of_that_user_alone(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")
    bobby = await gateways.add_user("bobby")
    later = gateways.clock.now() + timedelta(minutes=1)
    changed_user = replace(
        alice, role=Role.ADMIN, is_active=False, password_hash="another hash", updated_at=later, last_login_at=later
    )

    async with gateways.transaction:
        await gateways.users.save(changed_user)

    assert await gateways.find("alice") == changed_user
    assert await gateways.find("bobby") == bobby


async def test_saving_an_unknown_user_adds_nobody(gateways: Gateways) -> None:
    async with gateways.transaction:
        await gateways.users.save(User.create(ALICE, Role.USER, "a hash", gateways.clock.now()))

    assert await gateways.find("alice") is None


async def test_a_user_changes_in_store_by_saving_only(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")

    async with gateways.transaction:
        user = await gateways.users.lock(ALICE)
        assert user is not None
        user.inactivate(gateways.clock.now())

    assert await gateways.find("alice") == alice


async def test_every_lock_gives_back_the_whole_user(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")

    async with gateways.transaction:
        assert await gateways.users.lock(ALICE) == alice
        assert await gateways.users.lock_by_id(alice.id) == alice
        with pytest.deprecated_call():
            assert await gateways.users.lock_for_login(alice.id) == alice


async def test_an_inactive_user_is_locked_like_any_other(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice", is_active=False)

    async with gateways.transaction:
        assert await gateways.users.lock_with_actor(alice.id, ALICE) == (alice, alice)


@pytest.mark.parametrize("actor_comes_first", [True, False])
async def test_actor_and_named_user_are_told_apart(gateways: Gateways, *, actor_comes_first: bool) -> None:
    first = await gateways.add_user("first")
    second = await gateways.add_user("second")
    actor, named_user = (first, second) if actor_comes_first else (second, first)

    async with gateways.transaction:
        assert await gateways.users.lock_with_actor(actor.id, named_user.username) == (actor, named_user)


async def test_of_actor_and_named_user_either_may_be_missing(gateways: Gateways) -> None:
    alice = await gateways.add_user("alice")

    async with gateways.transaction:
        assert await gateways.users.lock_with_actor(alice.id, UNKNOWN) == (alice, None)
        assert await gateways.users.lock_with_actor(uuid7(), ALICE) == (None, alice)
        assert await gateways.users.lock_with_actor(alice.id, ALICE) == (alice, alice)


async def test_a_named_user_is_locked_along_with_the_active_super_admins_alone(gateways: Gateways) -> None:
    chiefs = [await gateways.add_user(name, Role.SUPER_ADMIN) for name in ("chief1", "chief2")]
    former = await gateways.add_user("former", Role.SUPER_ADMIN, is_active=False)
    await gateways.add_user("admin", Role.ADMIN)
    alice = await gateways.add_user("alice")

    async with gateways.transaction:
        for user in (None, alice, former, *chiefs):
            username = user.username if user else UNKNOWN
            assert await gateways.users.lock_with_active_super_admins(username) == (user, chiefs)
