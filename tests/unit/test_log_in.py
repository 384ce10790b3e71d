from collections.abc import Callable

import pytest

from app.application.commands.log_in import LogIn
from app.domain.errors import InvalidCredentialsError
from app.domain.session import hash_secret
from tests.fakes import LIFETIME, PASSWORD, World


async def test_login_opens_a_session_whose_secret_is_in_the_token() -> None:
    world = World()
    alice = world.add_user("alice")

    logged_in = await world.use(LogIn)("alice", PASSWORD)

    [session] = world.store.sessions.values()
    assert session.user_id == alice.id
    assert session.secret_hash == hash_secret(logged_in.token.removeprefix("token of "))
    assert logged_in.expires_at == session.expires_at == world.clock.now() + LIFETIME.absolute


async def test_the_case_of_the_username_does_not_count() -> None:
    world = World()
    alice = world.add_user("alice")

    await world.use(LogIn)("ALICE", PASSWORD)

    assert len(world.sessions_of(alice)) == 1


async def test_every_login_is_a_session_of_its_own() -> None:
    world = World()
    alice = world.add_user("alice")

    tokens = {(await world.use(LogIn)("alice", PASSWORD)).token for _ in range(2)}

    assert len(tokens) == len(world.sessions_of(alice)) == 2


@pytest.mark.parametrize(
    ("username", "password"),
    [("nobody", PASSWORD), ("not a name", PASSWORD), ("alice", "wrong password"), ("inactive", PASSWORD)],
)
async def test_unknown_wrong_and_inactive_get_one_answer_after_the_same_work(username: str, password: str) -> None:
    world = World()
    world.add_user("alice")
    world.add_user("inactive", is_active=False)

    with pytest.raises(InvalidCredentialsError) as refusal:
        await world.use(LogIn)(username, password)

    assert refusal.value.detail == InvalidCredentialsError.title
    assert len(world.hasher.verified) == 1
    assert world.store.sessions == {}


def inactivate_alice(world: World) -> None:
    world.user("alice").is_active = False


def change_the_password(world: World) -> None:
    world.user("alice").password_hash = "another hash"


def remove_alice(world: World) -> None:
    del world.store.users[world.user("alice").id]


@pytest.mark.parametrize("change", [inactivate_alice, change_the_password, remove_alice])
async def test_what_happens_during_the_hashing_counts(change: Callable[[World], None]) -> None:
    world = World()
    world.add_user("alice")
    world.hasher.meanwhile = lambda: change(world)

    with pytest.raises(InvalidCredentialsError):
        await world.use(LogIn)("alice", PASSWORD)

    assert world.store.sessions == {}
