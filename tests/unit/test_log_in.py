from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from gatehouse.accounts.application.commands.log_in import LogIn
from gatehouse.accounts.domain.errors import InvalidCredentialsError
from gatehouse.accounts.domain.session import hash_secret
from gatehouse.common.domain.errors import ThrottledError
from gatehouse.testing.fakes import CONTEXT, LIFETIME, LIMITS, PASSWORD
from gatehouse.testing.in_memory_app import InMemoryApp


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()


async def test_login_opens_a_session_whose_secret_is_in_the_token(app: InMemoryApp) -> None:
    alice = app.add_user("alice")

    new_session = await app.use(LogIn)("alice", PASSWORD)

    [session] = app.store.sessions.values()
    assert session.user_id == alice.id
    assert session.secret_hash == hash_secret(new_session.token.removeprefix("token of "))
    assert new_session.expires_at == session.expires_at == app.clock.now() + LIFETIME.absolute


async def test_the_case_of_the_username_does_not_count(app: InMemoryApp) -> None:
    alice = app.add_user("alice")

    await app.use(LogIn)("ALICE", PASSWORD)

    assert len(app.sessions_of(alice)) == 1


@pytest.mark.promise("L2")
async def test_a_login_too_verifies_one_password(app: InMemoryApp) -> None:
    app.add_user("alice")

    await app.use(LogIn)("alice", PASSWORD)

    assert app.hasher.verified == [f"hash of {PASSWORD}"]


async def test_a_session_remembers_where_the_login_came_from(app: InMemoryApp) -> None:
    app.add_user("alice")

    await app.use(LogIn)("alice", PASSWORD)

    [session] = app.store.sessions.values()
    assert (session.ip, session.user_agent) == (CONTEXT.ip, CONTEXT.user_agent)


@pytest.mark.promise("S16")
async def test_the_oldest_session_ends_when_there_are_too_many(app: InMemoryApp) -> None:
    alice = app.add_user("alice")
    oldest = app.add_session(alice, "the oldest")
    app.clock.advance(timedelta(seconds=1))
    for _ in range(LIFETIME.max_per_user):
        await app.use(LogIn)("alice", PASSWORD)

    assert len(app.sessions_of(alice)) == LIFETIME.max_per_user == 20
    assert oldest.id not in app.sessions_of(alice)


@pytest.mark.promise("L5")
async def test_after_too_many_wrong_passwords_the_right_one_has_to_wait_too(app: InMemoryApp) -> None:
    app.add_user("alice")
    for _ in range(LIMITS.per_account):
        with pytest.raises(InvalidCredentialsError):
            await app.use(LogIn)("alice", "wrong password")

    with pytest.raises(ThrottledError):
        await app.use(LogIn)("alice", PASSWORD)

    assert app.store.sessions == {}


async def test_names_that_nobody_can_have_are_counted_together(app: InMemoryApp) -> None:
    for number in range(LIMITS.per_account):
        with pytest.raises(InvalidCredentialsError):
            await app.use(LogIn)(f"not a name {number}", PASSWORD)

    with pytest.raises(ThrottledError):
        await app.use(LogIn)("no name either", PASSWORD)


@pytest.mark.promise("P7", "P9")
async def test_a_login_replaces_an_outdated_hash_and_the_time_of_the_last_login_and_nothing_else(
    app: InMemoryApp,
) -> None:
    alice = app.add_user("alice")
    app.user("alice").password_hash = f"outdated hash of {PASSWORD}"
    app.clock.advance(timedelta(hours=1))

    await app.use(LogIn)("alice", PASSWORD)

    assert app.user("alice") == replace(alice, last_login_at=app.clock.now())
    assert len(app.sessions_of(alice)) == len(app.hasher.verified) == 1


async def test_a_login_is_no_change_of_the_account_but_for_its_own_time(app: InMemoryApp) -> None:
    alice = app.add_user("alice")
    assert alice.last_login_at is None
    for _ in range(2):
        app.clock.advance(timedelta(hours=1))

        await app.use(LogIn)("alice", PASSWORD)

        assert app.user("alice") == replace(alice, last_login_at=app.clock.now())


@pytest.mark.parametrize(("username", "password"), [("alice", "wrong password"), ("inactive", PASSWORD)])
async def test_a_refused_login_is_none(app: InMemoryApp, username: str, password: str) -> None:
    app.add_user("alice")
    app.add_user("inactive", is_active=False)

    with pytest.raises(InvalidCredentialsError):
        await app.use(LogIn)(username, password)

    assert app.user(username).last_login_at is None


@pytest.mark.promise("P9")
async def test_a_wrong_password_replaces_no_outdated_hash(app: InMemoryApp) -> None:
    app.add_user("alice")
    app.user("alice").password_hash = f"outdated hash of {PASSWORD}"

    with pytest.raises(InvalidCredentialsError):
        await app.use(LogIn)("alice", "wrong password")

    assert app.user("alice").password_hash == f"outdated hash of {PASSWORD}"


@pytest.mark.promise("P11")
async def test_one_who_must_change_the_password_logs_in_and_still_must(app: InMemoryApp) -> None:
    alice = app.add_user("alice")
    app.user("alice").must_change_password = True

    await app.use(LogIn)("alice", PASSWORD)

    assert len(app.sessions_of(alice)) == 1
    assert app.user("alice").must_change_password


async def test_every_login_is_a_session_of_its_own(app: InMemoryApp) -> None:
    alice = app.add_user("alice")

    tokens = {(await app.use(LogIn)("alice", PASSWORD)).token for _ in range(2)}

    assert len(tokens) == len(app.sessions_of(alice)) == 2


@pytest.mark.promise("L1", "L2")
@pytest.mark.parametrize(
    ("username", "password"),
    [("nobody", PASSWORD), ("not a name", PASSWORD), ("alice", "wrong password"), ("inactive", PASSWORD)],
)
async def test_unknown_wrong_and_inactive_get_one_answer_after_the_same_work(
    app: InMemoryApp, username: str, password: str
) -> None:
    app.add_user("alice")
    app.add_user("inactive", is_active=False)

    with pytest.raises(InvalidCredentialsError) as refusal:
        await app.use(LogIn)(username, password)

    assert refusal.value.detail == InvalidCredentialsError.title
    assert sum(app.throttle.counts.values()) == 2
    assert len(app.hasher.verified) == 1
    assert app.store.sessions == {}


def inactivate_alice(app: InMemoryApp) -> None:
    app.user("alice").is_active = False


def change_the_password(app: InMemoryApp) -> None:
    app.user("alice").password_hash = "another hash"


def remove_alice(app: InMemoryApp) -> None:
    app.store.users.clear()


@pytest.mark.promise("S8", "S9", "P9")
@pytest.mark.parametrize("change", [inactivate_alice, change_the_password, remove_alice])
@pytest.mark.parametrize("password_hash", [f"hash of {PASSWORD}", f"outdated hash of {PASSWORD}"])
async def test_what_happens_during_the_hashing_counts(
    app: InMemoryApp, change: Callable[[InMemoryApp], None], password_hash: str
) -> None:
    app.add_user("alice")
    app.user("alice").password_hash = password_hash
    app.hasher.meanwhile = lambda: change(app)

    with pytest.raises(InvalidCredentialsError):
        await app.use(LogIn)("alice", PASSWORD)

    assert app.store.sessions == {}
