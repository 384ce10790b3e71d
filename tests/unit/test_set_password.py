from dataclasses import replace
from datetime import timedelta

import pytest

from gatehouse.accounts.application.commands.set_password import SetPassword
from gatehouse.accounts.domain.errors import UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import InvalidError
from gatehouse.testing.in_memory_app import InMemoryApp

NEW_PASSWORD = "an entirely new password"


def fail_if_asked() -> str:
    pytest.fail("asked for a password")


@pytest.mark.promise("P11", "S9")
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("is_active", [True, False])
async def test_the_operator_sets_anybodys_password_which_must_be_changed_and_all_sessions_end(
    role: Role, *, is_active: bool
) -> None:
    app = InMemoryApp()
    alice, bobby = app.add_user("alice", role, is_active=is_active), app.add_user("bobby")
    app.add_session(alice, "one")
    app.add_session(alice, "two")
    of_bobby = app.add_session(bobby, "three")
    app.throttle.counts["password:alice:192.0.2.1"] = 3
    app.clock.advance(timedelta(hours=1))

    await app.use(SetPassword)("Alice", lambda: NEW_PASSWORD)

    assert app.user("alice") == replace(
        alice, password_hash=f"hash of {NEW_PASSWORD}", must_change_password=True, updated_at=app.clock.now()
    )
    assert app.sessions_of(alice) == set()
    assert app.sessions_of(bobby) == {of_bobby.id}
    assert app.throttle.counts == {"password:alice:192.0.2.1": 3}


async def test_a_password_is_asked_for_only_where_there_is_an_account() -> None:
    app = InMemoryApp()

    with pytest.raises(UserNotFoundError):
        await app.use(SetPassword)("nobody", fail_if_asked)


@pytest.mark.parametrize("password", ["too short", "a weak password"])
async def test_a_password_is_judged_like_any_other(password: str) -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")

    with pytest.raises(InvalidError) as refusal:
        await app.use(SetPassword)("alice", lambda: password)

    assert refusal.value.field == "password"
    assert app.user("alice") == alice


async def test_who_is_erased_while_the_password_is_hashed_is_not_found() -> None:
    app = InMemoryApp()
    app.add_user("alice")
    app.hasher.meanwhile = app.store.users.clear

    with pytest.raises(UserNotFoundError):
        await app.use(SetPassword)("alice", lambda: NEW_PASSWORD)

    assert (app.store.users, app.store.events) == ({}, [])
