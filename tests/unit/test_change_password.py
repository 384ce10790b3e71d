from dataclasses import replace
from datetime import timedelta

import pytest

from gatehouse.accounts.application.commands.change_password import ChangePassword
from gatehouse.accounts.domain.errors import InvalidCredentialsError, UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.session import hash_secret
from gatehouse.common.domain.errors import (
    ForbiddenError,
    InvalidError,
    PasswordChangeRequiredError,
    ThrottledError,
    UnauthenticatedError,
)
from gatehouse.testing.fakes import LIMITS, PASSWORD
from gatehouse.testing.in_memory_app import InMemoryApp

NEW_PASSWORD = "an entirely new password"


@pytest.mark.parametrize("role", Role)
async def test_ones_own_password_is_changed_with_the_current_one(role: Role) -> None:
    app = InMemoryApp()
    alice = app.add_user("alice", role)

    await app.use(ChangePassword, alice)("ALICE", NEW_PASSWORD, PASSWORD)

    assert app.user("alice").password_hash == f"hash of {NEW_PASSWORD}"


@pytest.mark.promise("S9")
async def test_all_sessions_but_the_current_one_end() -> None:
    app = InMemoryApp()
    alice, other = app.add_user("alice"), app.add_user("other")
    current = app.add_session(alice, "this browser")
    change_password = app.use(ChangePassword, alice)
    app.add_session(alice, "another browser")
    app.add_session(other, "someone else")

    await change_password("alice", NEW_PASSWORD, PASSWORD)

    assert app.sessions_of(alice) == {current.id}
    assert len(app.sessions_of(other)) == 1


@pytest.mark.promise("S17")
async def test_ones_own_session_gets_a_new_secret_and_ends_when_it_would_have_ended() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    session = app.add_session(alice, "the old secret")
    change_password = app.use(ChangePassword, alice)
    app.clock.advance(timedelta(minutes=5))

    renewed = await change_password("alice", NEW_PASSWORD, PASSWORD)

    assert renewed is not None
    assert renewed.expires_at == session.expires_at
    secret_hash = hash_secret(renewed.token.removeprefix("token of "))
    assert secret_hash != session.secret_hash
    assert app.store.sessions == {session.id: replace(session, secret_hash=secret_hash)}


@pytest.mark.promise("S17")
async def test_whoever_logs_out_meanwhile_has_changed_nothing() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    app.add_session(alice)
    change_password = app.use(ChangePassword, alice)
    app.hasher.meanwhile = app.store.sessions.clear

    with pytest.raises(UnauthenticatedError):
        await change_password("alice", NEW_PASSWORD, PASSWORD)

    assert app.user("alice") == alice


@pytest.mark.promise("S17")
async def test_an_admins_own_session_stays_as_it_is_when_the_password_is_a_subordinates() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    app.add_user("alice")
    session = app.add_session(admin)

    assert await app.use(ChangePassword, admin)("alice", NEW_PASSWORD, None) is None

    assert app.store.sessions == {session.id: session}


@pytest.mark.promise("P10")
async def test_ones_own_password_is_not_changed_without_the_current_one() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice", Role.SUPER_ADMIN)

    with pytest.raises(InvalidError) as refusal:
        await app.use(ChangePassword, alice)("alice", NEW_PASSWORD, None)

    assert refusal.value.field == "current_password"
    assert app.throttle.counts == {}
    assert app.user("alice") == alice


@pytest.mark.promise("P11")
@pytest.mark.parametrize("password", ["caf\u00e9 by the harbour", "cafe\u0301 by the harbour"])
async def test_ones_own_password_is_not_changed_to_itself_in_any_form(password: str) -> None:
    app = InMemoryApp()
    alice = app.add_user("alice", password="caf\u00e9 by the harbour")

    with pytest.raises(InvalidError) as refusal:
        await app.use(ChangePassword, alice)("alice", password, "caf\u00e9 by the harbour")

    assert refusal.value.field == "password"
    assert app.user("alice") == alice


@pytest.mark.promise("P10")
async def test_a_wrong_current_password_is_refused() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    session = app.add_session(alice)

    with pytest.raises(InvalidCredentialsError):
        await app.use(ChangePassword, alice)("alice", NEW_PASSWORD, "wrong password")

    assert app.user("alice") == alice
    assert app.sessions_of(alice) == {session.id}


async def test_an_admin_changes_a_subordinates_password_which_ends_all_their_sessions() -> None:
    app = InMemoryApp()
    admin, alice = app.add_user("admin", Role.ADMIN), app.add_user("alice")
    own_session = app.add_session(admin, "the admin's")
    app.add_session(alice, "the user's")

    await app.use(ChangePassword, admin)("alice", NEW_PASSWORD, None)

    assert app.user("alice").password_hash == f"hash of {NEW_PASSWORD}"
    assert app.sessions_of(alice) == set()
    assert app.sessions_of(admin) == {own_session.id}


@pytest.mark.parametrize(
    ("caller", "target"),
    [
        (Role.USER, "alice"),
        (Role.USER, "nobody"),
        (Role.ADMIN, "other"),
        (Role.ADMIN, "chief"),
        (Role.SUPER_ADMIN, "chief"),
    ],
)
async def test_nobody_changes_the_password_of_one_they_do_not_manage(caller: Role, target: str) -> None:
    app = InMemoryApp()
    app.add_user("alice")
    app.add_user("other", Role.ADMIN)
    app.add_user("chief", Role.SUPER_ADMIN)
    app.hasher.meanwhile = lambda: pytest.fail("hashed")

    with pytest.raises(ForbiddenError):
        await app.use(ChangePassword, app.add_user("caller", caller))(target, NEW_PASSWORD, PASSWORD)

    assert {user.password_hash for user in app.store.users.values()} == {f"hash of {PASSWORD}"}


async def test_an_unknown_user_is_not_found() -> None:
    app = InMemoryApp()

    with pytest.raises(UserNotFoundError):
        await app.use(ChangePassword, app.add_user("admin", Role.ADMIN))("nobody", NEW_PASSWORD, None)


async def test_the_new_password_must_obey_the_policy() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")

    with pytest.raises(InvalidError) as refusal:
        await app.use(ChangePassword, alice)("alice", "too short", PASSWORD)

    assert refusal.value.field == "password"
    assert app.user("alice") == alice


@pytest.mark.promise("P9")
async def test_of_two_own_changes_at_once_the_later_is_refused() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    app.hasher.meanwhile = lambda: setattr(app.user("alice"), "password_hash", "another hash")

    with pytest.raises(InvalidCredentialsError):
        await app.use(ChangePassword, alice)("alice", NEW_PASSWORD, PASSWORD)

    assert app.user("alice").password_hash == "another hash"


@pytest.mark.promise("Z6")
async def test_a_subordinate_who_is_promoted_during_the_hashing_keeps_the_password() -> None:
    app = InMemoryApp()
    admin, alice = app.add_user("admin", Role.ADMIN), app.add_user("alice")
    app.hasher.meanwhile = lambda: setattr(app.user("alice"), "role", Role.ADMIN)

    with pytest.raises(ForbiddenError):
        await app.use(ChangePassword, admin)("alice", NEW_PASSWORD, None)

    assert app.user("alice").password_hash == alice.password_hash


@pytest.mark.promise("Z6")
async def test_one_who_is_inactivated_during_the_hashing_changes_nothing() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    app.hasher.meanwhile = lambda: setattr(app.user("alice"), "is_active", False)

    with pytest.raises(UnauthenticatedError):
        await app.use(ChangePassword, alice)("alice", NEW_PASSWORD, PASSWORD)

    assert app.user("alice").password_hash == alice.password_hash


@pytest.mark.promise("P11")
async def test_what_an_admin_chose_must_be_changed_and_ones_own_choice_need_not() -> None:
    app = InMemoryApp()
    admin, alice = app.add_user("admin", Role.ADMIN), app.add_user("alice")

    await app.use(ChangePassword, admin)("alice", NEW_PASSWORD, None)
    assert app.user("alice").must_change_password

    await app.use(ChangePassword, app.user("alice"))("alice", PASSWORD, NEW_PASSWORD)
    assert not app.user("alice").must_change_password
    assert not app.user("admin").must_change_password
    assert app.user("alice").password_hash == alice.password_hash


@pytest.mark.promise("P11")
@pytest.mark.parametrize("target", ["alice", "other", "chief", "nobody"])
async def test_one_who_must_change_the_password_cannot_set_anothers_or_ask_who_exists(target: str) -> None:
    app = InMemoryApp()
    app.add_user("alice")
    app.add_user("other", Role.ADMIN)
    app.add_user("chief", Role.SUPER_ADMIN)
    app.add_user("admin", Role.ADMIN)
    app.user("admin").must_change_password = True
    app.hasher.meanwhile = lambda: pytest.fail("hashed")

    with pytest.raises(PasswordChangeRequiredError):
        await app.use(ChangePassword, app.user("admin"))(target, NEW_PASSWORD, None)

    assert {user.password_hash for user in app.store.users.values()} == {f"hash of {PASSWORD}"}


@pytest.mark.promise("P10", "L5")
async def test_guesses_at_the_current_password_are_throttled() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")
    for _ in range(LIMITS.per_account):
        with pytest.raises(InvalidCredentialsError):
            await app.use(ChangePassword, alice)("alice", NEW_PASSWORD, "wrong password")

    with pytest.raises(ThrottledError):
        await app.use(ChangePassword, alice)("alice", NEW_PASSWORD, PASSWORD)

    assert app.user("alice") == alice
    assert len(app.hasher.verified) == LIMITS.per_account


@pytest.mark.promise("P5")
async def test_a_weak_new_password_is_refused_with_the_reason() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")

    with pytest.raises(InvalidError) as refusal:
        await app.use(ChangePassword, alice)("alice", "a weak password is this", PASSWORD)

    assert refusal.value.message == "Is weak, alice."
    assert app.user("alice") == alice
