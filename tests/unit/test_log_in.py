from collections.abc import Callable
from datetime import timedelta

import pytest

from gatehouse.accounts.application.commands.log_in import LogIn
from gatehouse.accounts.application.passwords import AttemptLimits
from gatehouse.accounts.domain.session import hash_secret
from gatehouse.common.domain.errors import InvalidCredentialsError, ThrottledError
from tests.fakes import LIFETIME, PASSWORD
from tests.world import ORIGIN, World


@pytest.fixture
def world() -> World:
    return World()


async def test_login_opens_a_session_whose_secret_is_in_the_token(world: World) -> None:
    alice = world.add_user("alice")

    logged_in = await world.use(LogIn)("alice", PASSWORD)

    [session] = world.store.sessions.values()
    assert session.user_id == alice.id
    assert session.secret_hash == hash_secret(logged_in.token.removeprefix("token of "))
    assert logged_in.expires_at == session.expires_at == world.clock.now() + LIFETIME.absolute


async def test_the_case_of_the_username_does_not_count(world: World) -> None:
    alice = world.add_user("alice")

    await world.use(LogIn)("ALICE", PASSWORD)

    assert len(world.sessions_of(alice)) == 1


@pytest.mark.promise("L2")
async def test_a_login_too_verifies_one_password(world: World) -> None:
    world.add_user("alice")

    await world.use(LogIn)("alice", PASSWORD)

    assert world.hasher.verified == [f"hash of {PASSWORD}"]


async def test_a_session_remembers_where_the_login_came_from(world: World) -> None:
    world.add_user("alice")

    await world.use(LogIn)("alice", PASSWORD)

    [session] = world.store.sessions.values()
    assert (session.ip, session.user_agent) == (ORIGIN.ip, ORIGIN.user_agent)


@pytest.mark.promise("S16")
async def test_the_oldest_session_ends_when_there_are_too_many(world: World) -> None:
    alice = world.add_user("alice")
    oldest = world.add_session(alice, "the oldest")
    world.clock.advance(timedelta(seconds=1))
    for _ in range(LIFETIME.max_per_user):
        await world.use(LogIn)("alice", PASSWORD)

    assert len(world.sessions_of(alice)) == LIFETIME.max_per_user == 20
    assert oldest.id not in world.sessions_of(alice)


@pytest.mark.promise("L5")
async def test_after_too_many_wrong_passwords_the_right_one_has_to_wait_too(world: World) -> None:
    world.add_user("alice")
    for _ in range(AttemptLimits().per_account):
        with pytest.raises(InvalidCredentialsError):
            await world.use(LogIn)("alice", "wrong password")

    with pytest.raises(ThrottledError):
        await world.use(LogIn)("alice", PASSWORD)

    assert world.store.sessions == {}


async def test_names_that_nobody_can_have_are_counted_together(world: World) -> None:
    for number in range(AttemptLimits().per_account):
        with pytest.raises(InvalidCredentialsError):
            await world.use(LogIn)(f"not a name {number}", PASSWORD)

    with pytest.raises(ThrottledError):
        await world.use(LogIn)("no name either", PASSWORD)


@pytest.mark.promise("P7", "P9")
async def test_a_login_replaces_an_outdated_hash_and_nothing_else(world: World) -> None:
    alice = world.add_user("alice")
    world.user("alice").password_hash = f"outdated hash of {PASSWORD}"
    world.clock.advance(timedelta(hours=1))

    await world.use(LogIn)("alice", PASSWORD)

    assert world.user("alice") == alice
    assert len(world.sessions_of(alice)) == len(world.hasher.verified) == 1


@pytest.mark.promise("P9")
async def test_a_wrong_password_replaces_no_outdated_hash(world: World) -> None:
    world.add_user("alice")
    world.user("alice").password_hash = f"outdated hash of {PASSWORD}"

    with pytest.raises(InvalidCredentialsError):
        await world.use(LogIn)("alice", "wrong password")

    assert world.user("alice").password_hash == f"outdated hash of {PASSWORD}"


@pytest.mark.promise("P11")
async def test_one_who_must_change_the_password_logs_in_and_still_must(world: World) -> None:
    alice = world.add_user("alice")
    world.user("alice").must_change_password = True

    await world.use(LogIn)("alice", PASSWORD)

    assert len(world.sessions_of(alice)) == 1
    assert world.user("alice").must_change_password


async def test_every_login_is_a_session_of_its_own(world: World) -> None:
    alice = world.add_user("alice")

    tokens = {(await world.use(LogIn)("alice", PASSWORD)).token for _ in range(2)}

    assert len(tokens) == len(world.sessions_of(alice)) == 2


@pytest.mark.promise("L1", "L2")
@pytest.mark.parametrize(
    ("username", "password"),
    [("nobody", PASSWORD), ("not a name", PASSWORD), ("alice", "wrong password"), ("inactive", PASSWORD)],
)
async def test_unknown_wrong_and_inactive_get_one_answer_after_the_same_work(
    world: World, username: str, password: str
) -> None:
    world.add_user("alice")
    world.add_user("inactive", is_active=False)

    with pytest.raises(InvalidCredentialsError) as refusal:
        await world.use(LogIn)(username, password)

    assert refusal.value.detail == InvalidCredentialsError.title
    assert sum(world.throttle.counts.values()) == 2
    assert len(world.hasher.verified) == 1
    assert world.store.sessions == {}


def inactivate_alice(world: World) -> None:
    world.user("alice").is_active = False


def change_the_password(world: World) -> None:
    world.user("alice").password_hash = "another hash"


def remove_alice(world: World) -> None:
    world.store.users.clear()


@pytest.mark.promise("S8", "S9", "P9")
@pytest.mark.parametrize("change", [inactivate_alice, change_the_password, remove_alice])
@pytest.mark.parametrize("password_hash", [f"hash of {PASSWORD}", f"outdated hash of {PASSWORD}"])
async def test_what_happens_during_the_hashing_counts(
    world: World, change: Callable[[World], None], password_hash: str
) -> None:
    world.add_user("alice")
    world.user("alice").password_hash = password_hash
    world.hasher.meanwhile = lambda: change(world)

    with pytest.raises(InvalidCredentialsError):
        await world.use(LogIn)("alice", PASSWORD)

    assert world.store.sessions == {}
