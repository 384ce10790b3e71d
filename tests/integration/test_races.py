"""Real concurrency on real connections. Gates and locks decide who comes first, never a sleep."""

import asyncio

import pytest

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.commands.change_password import ChangePassword
from gatehouse.accounts.application.commands.grant_admin import GrantAdmin
from gatehouse.accounts.application.commands.inactivate_user import InactivateUser
from gatehouse.accounts.application.commands.log_in import LogIn
from gatehouse.accounts.application.commands.log_out import LogOut
from gatehouse.accounts.application.commands.sign_up import SignUp
from gatehouse.accounts.domain.errors import InvalidCredentialsError, UsernameTakenError
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import UnauthenticatedError
from gatehouse.testing.fakes import PASSWORD
from tests.integration.conftest import DatabaseMonitor
from tests.integration.harness import Harness

pytestmark = pytest.mark.slow  # each lets two commands wait for one another

NEW_PASSWORD = "another horse battery staple"


@pytest.mark.promise("S8")
async def test_whoever_is_inactivated_while_the_password_is_verified_gets_no_session(
    harness: Harness, monitor: DatabaseMonitor
) -> None:
    admin, alice = await harness.add_user("admin", Role.ADMIN), await harness.add_user("alice")
    harness.hashing.stop_next()

    login = harness.start(LogIn, None, "alice", PASSWORD)
    await harness.hashing.until_reached()
    await harness.call(InactivateUser, admin, "alice")
    harness.hashing.open()

    with pytest.raises(InvalidCredentialsError):
        await login
    assert await monitor.sessions_of(alice.id) == 0


@pytest.mark.promise("S8")
async def test_inactivation_waits_for_a_login_that_came_first_and_ends_its_session(
    harness: Harness, monitor: DatabaseMonitor
) -> None:
    admin, alice = await harness.add_user("admin", Role.ADMIN), await harness.add_user("alice")
    harness.opening_a_session.stop_next()

    login = harness.start(LogIn, None, "alice", PASSWORD)
    await harness.opening_a_session.until_reached()
    inactivation = harness.start(InactivateUser, admin, "alice")
    await monitor.until_waiting_for_a_lock()
    harness.opening_a_session.open()

    await login
    await inactivation
    assert await monitor.sessions_of(alice.id) == 0


@pytest.mark.promise("S18")
async def test_a_grant_waits_for_a_login_that_came_first_and_ends_its_session(
    harness: Harness, monitor: DatabaseMonitor
) -> None:
    chief, alice = await harness.add_user("chief", Role.SUPER_ADMIN), await harness.add_user("alice")
    harness.opening_a_session.stop_next()

    login = harness.start(LogIn, None, "alice", PASSWORD)
    await harness.opening_a_session.until_reached()
    grant = harness.start(GrantAdmin, chief, "alice")
    await monitor.until_waiting_for_a_lock()
    harness.opening_a_session.open()

    await login
    await grant
    assert await monitor.sessions_of(alice.id) == 0


@pytest.mark.promise("S9")
async def test_whoever_logs_in_with_a_password_being_replaced_gets_no_session(
    harness: Harness, monitor: DatabaseMonitor
) -> None:
    admin, alice = await harness.add_user("admin", Role.ADMIN), await harness.add_user("alice")
    harness.hashing.stop_next()

    login = harness.start(LogIn, None, "alice", PASSWORD)
    await harness.hashing.until_reached()
    await harness.call(ChangePassword, admin, "alice", NEW_PASSWORD, None)
    harness.hashing.open()

    with pytest.raises(InvalidCredentialsError):
        await login
    assert await monitor.sessions_of(alice.id) == 0


@pytest.mark.promise("S9")
async def test_a_password_change_waits_for_a_login_that_came_first_and_ends_its_session(
    harness: Harness, monitor: DatabaseMonitor
) -> None:
    alice = await harness.add_user("alice")
    own_session = await harness.add_session(alice)
    harness.opening_a_session.stop_next()

    login = harness.start(LogIn, None, "alice", PASSWORD)
    await harness.opening_a_session.until_reached()
    change = harness.start(ChangePassword, alice, "alice", NEW_PASSWORD, PASSWORD)
    await monitor.until_waiting_for_a_lock()
    harness.opening_a_session.open()

    await login
    await change
    assert await monitor.sessions_of(alice.id) == 1
    assert await monitor.has_session(own_session.id)
    await harness.call(LogIn, None, "alice", NEW_PASSWORD)


async def test_logins_of_one_user_wait_for_each_other_to_open_their_sessions_and_nobody_else_does(
    harness: Harness, monitor: DatabaseMonitor
) -> None:
    alice = await harness.add_user("alice")
    harness.opening_a_session.stop_next()

    first = harness.start(LogIn, None, "alice", PASSWORD)
    await harness.opening_a_session.until_reached()
    second = harness.start(LogIn, None, "alice", PASSWORD)
    await monitor.until_waiting_for_a_lock()
    # As the check of a foreign key does.
    await monitor.execute("SELECT 1 FROM users WHERE id = %s FOR KEY SHARE NOWAIT", alice.id)
    harness.opening_a_session.open()

    await asyncio.gather(first, second)
    assert await monitor.sessions_of(alice.id) == 2


async def test_a_row_that_a_command_has_locked_may_be_referred_to(harness: Harness, monitor: DatabaseMonitor) -> None:
    alice = await harness.add_user("alice")
    await monitor.execute("UPDATE users SET password_hash = 'old ' || password_hash")
    harness.opening_a_session.stop_next()

    rehashing_login = harness.start(LogIn, None, "alice", PASSWORD)
    await harness.opening_a_session.until_reached()
    # As the check of a foreign key does.
    await monitor.execute("SELECT 1 FROM users WHERE id = %s FOR KEY SHARE NOWAIT", alice.id)
    harness.opening_a_session.open()

    await rehashing_login


@pytest.mark.promise("S9")
async def test_of_two_password_changes_with_the_same_current_one_the_later_is_refused(
    harness: Harness, monitor: DatabaseMonitor
) -> None:
    alice = await harness.add_user("alice")
    await harness.add_session(alice)
    harness.hashing.stop_next()

    slow = harness.start(ChangePassword, alice, "alice", "the slow horse battery staple", PASSWORD)
    await harness.hashing.until_reached()
    await harness.call(ChangePassword, alice, "alice", NEW_PASSWORD, PASSWORD)
    harness.hashing.open()

    with pytest.raises(InvalidCredentialsError):
        await slow
    assert (await monitor.user("alice"))["password_hash"] == f"hash of {NEW_PASSWORD}"


@pytest.mark.promise("S17")
async def test_whoever_logs_out_while_the_own_password_is_hashed_has_changed_nothing(
    harness: Harness, monitor: DatabaseMonitor
) -> None:
    alice = await harness.add_user("alice")
    await harness.add_session(alice)
    before = await monitor.user("alice")
    harness.hashing.stop_next()

    change = harness.start(ChangePassword, alice, "alice", NEW_PASSWORD, PASSWORD)
    await harness.hashing.until_reached()
    await harness.call(LogOut, alice)
    harness.hashing.open()

    with pytest.raises(UnauthenticatedError):
        await change
    assert await monitor.user("alice") == before


@pytest.mark.promise("L7")
async def test_of_twenty_who_sign_up_with_one_name_at_once_one_gets_it(harness: Harness) -> None:
    outcomes = await asyncio.gather(
        *(harness.call(SignUp, None, "alice", f"{PASSWORD} {number}") for number in range(20)), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes].count(UsernameTakenError) == 19
    winner = next(number for number, outcome in enumerate(outcomes) if isinstance(outcome, Account))
    await harness.call(LogIn, None, "alice", f"{PASSWORD} {winner}")
