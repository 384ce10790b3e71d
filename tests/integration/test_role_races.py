"""Authorization is decided on the locked rows."""

import asyncio
from typing import Any

import pytest
from uuid6 import uuid7

from gatehouse.accounts.application.commands.change_password import ChangePassword
from gatehouse.accounts.application.commands.create_super_admin import CreateSuperAdmin
from gatehouse.accounts.application.commands.create_user import CreateUser
from gatehouse.accounts.application.commands.grant_admin import GrantAdmin
from gatehouse.accounts.application.commands.inactivate_user import InactivateUser
from gatehouse.accounts.application.commands.raise_to_super_admin import RaiseToSuperAdmin
from gatehouse.accounts.application.commands.revoke_admin import RevokeAdmin
from gatehouse.accounts.application.commands.revoke_super_admin import RevokeSuperAdmin
from gatehouse.accounts.domain.errors import LastSuperAdminError, UsernameTakenError
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.common.domain.errors import ForbiddenError, GatehouseError, UnauthenticatedError
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.harness import UseCase
from tests.integration.conftest import DatabaseMonitor
from tests.integration.harness import Harness

pytestmark = pytest.mark.slow  # each lets two commands wait for one another

LOCK = "SELECT 1 FROM users WHERE id = %s FOR NO KEY UPDATE"
NEW_PASSWORD = "another horse battery staple"


async def outcomes_of(*calls: asyncio.Task[Any]) -> list[object]:
    """The result of each, or the class of its exception."""
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    return [type(outcome) if isinstance(outcome, BaseException) else outcome for outcome in outcomes]


async def add_two(harness: Harness, role: Role) -> tuple[User, User]:
    """Stored in another order than that of their ids, so that a scan does not return them ordered by id."""
    ids = uuid7(), uuid7()
    higher = await harness.add_user("higher", role, user_id=ids[1])
    return await harness.add_user("lower", role, user_id=ids[0]), higher


async def test_two_grants_at_once_both_succeed_and_change_the_user_once(
    harness: Harness, monitor: DatabaseMonitor
) -> None:
    alice = await harness.add_user("alice")
    chiefs = await add_two(harness, Role.SUPER_ADMIN)
    told_before = len(harness.clock.told)

    async with monitor.transaction(LOCK, alice.id):
        grants = [harness.start(GrantAdmin, chief, "alice") for chief in chiefs]
        await monitor.until_waiting_for_a_lock(connections=2)

    assert await outcomes_of(*grants) == [None, None]
    user = await monitor.user("alice")
    assert (user["role"], user["updated_at"]) == ("admin", harness.clock.told[told_before])


@pytest.mark.promise("Z5")
async def test_actor_and_target_are_locked_in_the_order_of_their_ids(
    harness: Harness, monitor: DatabaseMonitor
) -> None:
    lower, higher = await add_two(harness, Role.ADMIN)

    async with monitor.transaction(LOCK, lower.id):
        calls = [harness.start(InactivateUser, lower, "higher"), harness.start(InactivateUser, higher, "lower")]
        await monitor.until_waiting_for_a_lock(connections=2)
        # Both wait for the lower row, so neither may hold the higher one yet.
        await monitor.execute(f"{LOCK} NOWAIT", higher.id)

    assert await outcomes_of(*calls) == [ForbiddenError, ForbiddenError]


@pytest.mark.slow
@pytest.mark.promise("Z5")
async def test_those_who_act_on_each_other_never_deadlock(harness: Harness) -> None:
    lower, higher = await add_two(harness, Role.ADMIN)
    chief = await harness.add_user("chief", Role.SUPER_ADMIN)

    for _ in range(20):
        outcomes = await outcomes_of(
            harness.start(InactivateUser, lower, "higher"),
            harness.start(InactivateUser, higher, "lower"),
            harness.start(GrantAdmin, chief, "higher"),
            harness.start(InactivateUser, higher, "chief"),
            harness.start(GrantAdmin, chief, "lower"),
            harness.start(InactivateUser, lower, "chief"),
        )
        assert outcomes == [ForbiddenError, ForbiddenError, None, ForbiddenError, None, ForbiddenError]


@pytest.mark.promise("Z4")
async def test_an_admin_who_is_demoted_while_waiting_for_the_target_is_refused(
    harness: Harness, monitor: DatabaseMonitor
) -> None:
    alice = await harness.add_user("alice")
    admin = await harness.add_user("admin", Role.ADMIN)
    chief = await harness.add_user("chief", Role.SUPER_ADMIN)

    async with monitor.transaction(LOCK, alice.id):
        inactivation = harness.start(InactivateUser, admin, "alice")
        await monitor.until_waiting_for_a_lock()
        await harness.call(RevokeAdmin, chief, "admin")

    assert await outcomes_of(inactivation) == [ForbiddenError]
    assert (await monitor.user("alice"))["is_active"]


@pytest.mark.promise("Z4")
async def test_demotion_waits_for_a_decision_that_the_admin_came_first_with(
    harness: Harness, monitor: DatabaseMonitor
) -> None:
    admin = await harness.add_user("admin", Role.ADMIN)
    alice = await harness.add_user("alice")
    chief = await harness.add_user("chief", Role.SUPER_ADMIN)

    async with monitor.transaction(LOCK, alice.id):
        inactivation = harness.start(InactivateUser, admin, "alice")
        await monitor.until_waiting_for_a_lock()
        demotion = harness.start(RevokeAdmin, chief, "admin")
        await monitor.until_waiting_for_a_lock(connections=2)

    assert await outcomes_of(inactivation, demotion) == [None, None]
    assert not (await monitor.user("alice"))["is_active"]
    assert (await monitor.user("admin"))["role"] == "user"


@pytest.mark.promise("Z6")
@pytest.mark.parametrize(
    ("meanwhile", "refusal"), [(RevokeAdmin, ForbiddenError), (InactivateUser, UnauthenticatedError)]
)
@pytest.mark.parametrize(
    ("use_case", "arguments"),
    [(CreateUser, ("bobby", PASSWORD, Role.USER)), (ChangePassword, ("alice", NEW_PASSWORD, None))],
)
async def test_an_admin_who_loses_the_right_while_a_password_is_hashed_writes_nothing(  # noqa: PLR0913, PLR0917
    harness: Harness,
    monitor: DatabaseMonitor,
    use_case: type[UseCase],
    arguments: tuple[object, ...],
    meanwhile: type[UseCase],
    refusal: type[GatehouseError],
) -> None:
    await harness.add_user("alice")
    admin = await harness.add_user("admin", Role.ADMIN)
    chief = await harness.add_user("chief", Role.SUPER_ADMIN)
    before = await monitor.user("alice")
    harness.hashing.stop_next()

    call = harness.start(use_case, admin, *arguments)
    await harness.hashing.until_reached()
    await harness.call(meanwhile, chief, "admin")
    harness.hashing.open()

    assert await outcomes_of(call) == [refusal]
    assert await monitor.user("alice") == before
    assert await monitor.user("bobby") == {}


@pytest.mark.promise("Z6")
async def test_whoever_is_inactivated_while_changing_the_own_password_keeps_the_old_one(
    harness: Harness, monitor: DatabaseMonitor
) -> None:
    alice = await harness.add_user("alice")
    admin = await harness.add_user("admin", Role.ADMIN)
    harness.hashing.stop_next()

    change = harness.start(ChangePassword, alice, "alice", NEW_PASSWORD, PASSWORD)
    await harness.hashing.until_reached()
    await harness.call(InactivateUser, admin, "alice")
    harness.hashing.open()

    assert await outcomes_of(change) == [UnauthenticatedError]
    assert (await monitor.user("alice"))["password_hash"] == alice.password_hash


@pytest.mark.promise("Z6")
async def test_a_user_who_is_made_an_admin_while_a_password_is_hashed_is_no_subordinate_any_more(
    harness: Harness, monitor: DatabaseMonitor
) -> None:
    alice = await harness.add_user("alice")
    admin = await harness.add_user("admin", Role.ADMIN)
    chief = await harness.add_user("chief", Role.SUPER_ADMIN)
    harness.hashing.stop_next()

    change = harness.start(ChangePassword, admin, "alice", NEW_PASSWORD, None)
    await harness.hashing.until_reached()
    await harness.call(GrantAdmin, chief, "alice")
    harness.hashing.open()

    assert await outcomes_of(change) == [ForbiddenError]
    assert (await monitor.user("alice"))["password_hash"] == alice.password_hash


@pytest.mark.promise("Z3")
async def test_of_the_last_two_super_admins_one_stays_when_both_are_revoked_at_once(
    harness: Harness, monitor: DatabaseMonitor
) -> None:
    lower, _ = await add_two(harness, Role.SUPER_ADMIN)

    async with monitor.transaction(LOCK, lower.id):
        calls = [harness.start(RevokeSuperAdmin, None, username) for username in ("lower", "higher")]
        await monitor.until_waiting_for_a_lock(connections=2)

    assert set(await outcomes_of(*calls)) == {True, LastSuperAdminError}
    roles = {str((await monitor.user(username))["role"]) for username in ("lower", "higher")}
    assert roles == {"user", "super_admin"}


async def test_revoking_a_plain_user_and_a_super_admin_who_acts_on_that_user_do_not_deadlock(
    harness: Harness, monitor: DatabaseMonitor
) -> None:
    alice = await harness.add_user("alice")
    chief = await harness.add_user("chief", Role.SUPER_ADMIN)

    async with monitor.transaction(LOCK, chief.id):
        revocation = harness.start(RevokeSuperAdmin, None, "alice")
        await monitor.until_waiting_for_a_lock()
        grant = harness.start(GrantAdmin, chief, "alice")
        await monitor.until_waiting_for_a_lock(connections=2)

    assert await outcomes_of(revocation, grant) == [False, None]
    assert alice.id < chief.id
    assert (await monitor.user("alice"))["role"] == "admin"


async def test_one_name_made_super_admin_twice_at_once_is_made_once(harness: Harness, monitor: DatabaseMonitor) -> None:
    harness.hashing.stop_next()

    slow = harness.start(CreateSuperAdmin, None, "chief", lambda: NEW_PASSWORD)
    await harness.hashing.until_reached()
    quick = harness.start(CreateSuperAdmin, None, "chief", lambda: PASSWORD)
    assert await outcomes_of(quick) == [None]
    harness.hashing.open()

    assert await outcomes_of(slow) == [UsernameTakenError]
    user = await monitor.user("chief")
    assert (user["role"], user["password_hash"]) == ("super_admin", f"hash of {PASSWORD}")


@pytest.mark.promise("Z11")
async def test_raising_a_user_undoes_no_password_change_that_came_first(
    harness: Harness, monitor: DatabaseMonitor
) -> None:
    await harness.add_user("alice")

    async with monitor.transaction("UPDATE users SET password_hash = 'another' WHERE username = 'alice'"):
        raising = harness.start(RaiseToSuperAdmin, None, "alice")
        await monitor.until_waiting_for_a_lock()

    assert await outcomes_of(raising) == [True]
    user = await monitor.user("alice")
    assert (user["role"], user["password_hash"]) == ("super_admin", "another")
