"""Real concurrency on real connections. Who comes first is settled by gates and locks, never by waiting a while."""

import asyncio

import pytest

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.commands.change_password import ChangePassword
from gatehouse.accounts.application.commands.inactivate_user import InactivateUser
from gatehouse.accounts.application.commands.log_in import LogIn
from gatehouse.accounts.application.commands.sign_up import SignUp
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import InvalidCredentialsError, UsernameTakenError
from tests.fakes import PASSWORD
from tests.integration.conftest import Observer
from tests.integration.stage import Stage

NEW_PASSWORD = "another horse battery staple"


@pytest.mark.promise("S8")
async def test_whoever_is_inactivated_while_the_password_is_verified_gets_no_session(
    stage: Stage, observer: Observer
) -> None:
    admin, alice = await stage.add_user("admin", Role.ADMIN), await stage.add_user("alice")
    stage.hashing.stop_next()

    login = stage.start(LogIn, None, "alice", PASSWORD)
    await stage.hashing.until_reached()
    await stage.call(InactivateUser, admin, "alice")
    stage.hashing.open()

    with pytest.raises(InvalidCredentialsError):
        await login
    assert await observer.sessions_of(alice.id) == 0


@pytest.mark.promise("S8")
async def test_inactivation_waits_for_a_login_that_came_first_and_ends_its_session(
    stage: Stage, observer: Observer
) -> None:
    admin, alice = await stage.add_user("admin", Role.ADMIN), await stage.add_user("alice")
    stage.opening_a_session.stop_next()

    login = stage.start(LogIn, None, "alice", PASSWORD)
    await stage.opening_a_session.until_reached()
    inactivation = stage.start(InactivateUser, admin, "alice")
    await observer.until_waiting_for_a_lock()
    stage.opening_a_session.open()

    await login
    await inactivation
    assert await observer.sessions_of(alice.id) == 0


@pytest.mark.promise("S9")
async def test_whoever_logs_in_with_a_password_being_replaced_gets_no_session(stage: Stage, observer: Observer) -> None:
    admin, alice = await stage.add_user("admin", Role.ADMIN), await stage.add_user("alice")
    stage.hashing.stop_next()

    login = stage.start(LogIn, None, "alice", PASSWORD)
    await stage.hashing.until_reached()
    await stage.call(ChangePassword, admin, "alice", NEW_PASSWORD, None)
    stage.hashing.open()

    with pytest.raises(InvalidCredentialsError):
        await login
    assert await observer.sessions_of(alice.id) == 0


@pytest.mark.promise("S9")
async def test_a_password_change_waits_for_a_login_that_came_first_and_ends_its_session(
    stage: Stage, observer: Observer
) -> None:
    alice = await stage.add_user("alice")
    stage.opening_a_session.stop_next()

    login = stage.start(LogIn, None, "alice", PASSWORD)
    await stage.opening_a_session.until_reached()
    change = stage.start(ChangePassword, alice, "alice", NEW_PASSWORD, PASSWORD)
    await observer.until_waiting_for_a_lock()
    stage.opening_a_session.open()

    await login
    await change
    assert await observer.sessions_of(alice.id) == 0
    await stage.call(LogIn, None, "alice", NEW_PASSWORD)


async def test_logins_of_one_user_wait_for_each_other_only_to_count_the_sessions(
    stage: Stage, observer: Observer
) -> None:
    alice = await stage.add_user("alice")
    stage.opening_a_session.stop_next()

    first = stage.start(LogIn, None, "alice", PASSWORD)
    await stage.opening_a_session.until_reached()
    second = stage.start(LogIn, None, "alice", PASSWORD)
    await observer.until_waiting_for_a_lock()
    # Not for the row of the user, which they share.
    await observer.execute("SELECT 1 FROM users WHERE id = %s FOR SHARE NOWAIT", alice.id)
    stage.opening_a_session.open()

    await asyncio.gather(first, second)
    assert await observer.sessions_of(alice.id) == 2


@pytest.mark.promise("S9")
async def test_of_two_password_changes_with_the_same_current_one_the_later_is_refused(
    stage: Stage, observer: Observer
) -> None:
    alice = await stage.add_user("alice")
    stage.hashing.stop_next()

    slow = stage.start(ChangePassword, alice, "alice", "the slow horse battery staple", PASSWORD)
    await stage.hashing.until_reached()
    await stage.call(ChangePassword, alice, "alice", NEW_PASSWORD, PASSWORD)
    stage.hashing.open()

    with pytest.raises(InvalidCredentialsError):
        await slow
    assert (await observer.user("alice"))["password_hash"] == f"hash of {NEW_PASSWORD}"


@pytest.mark.promise("L7")
async def test_of_twenty_who_sign_up_with_one_name_at_once_one_gets_it(stage: Stage) -> None:
    outcomes = await asyncio.gather(
        *(stage.call(SignUp, None, "alice", f"{PASSWORD} {number}") for number in range(20)), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes].count(UsernameTakenError) == 19
    winner = next(number for number, outcome in enumerate(outcomes) if isinstance(outcome, Account))
    await stage.call(LogIn, None, "alice", f"{PASSWORD} {winner}")
