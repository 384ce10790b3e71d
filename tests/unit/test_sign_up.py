from dataclasses import fields

import pytest

from app.application.account import Account
from app.application.commands.sign_up import SignUp
from app.domain.errors import InvalidError, UsernameTakenError
from app.domain.role import Role
from tests.fakes import PASSWORD, World


async def test_sign_up_stores_an_active_user_with_a_hashed_password() -> None:
    world = World()

    await world.use(SignUp)("alice", PASSWORD)

    alice = world.user("alice")
    assert (alice.role, alice.is_active) == (Role.USER, True)
    assert alice.password_hash == f"hash of {PASSWORD}"
    assert alice.created_at == alice.updated_at == world.clock.now()


async def test_the_answer_is_the_account_without_its_password() -> None:
    world = World()

    account = await world.use(SignUp)("Alice", PASSWORD)

    assert account == Account.of(world.user("alice"))
    assert account.username == "alice"
    assert {field.name for field in fields(account)} == {
        "id",
        "username",
        "role",
        "is_active",
        "created_at",
        "updated_at",
    }


async def test_a_username_is_taken_whatever_its_case() -> None:
    world = World()
    alice = world.add_user("alice")

    with pytest.raises(UsernameTakenError):
        await world.use(SignUp)("ALICE", PASSWORD)

    assert list(world.store.users.values()) == [alice]


@pytest.mark.parametrize(
    ("username", "password", "field"), [("no", PASSWORD, "username"), ("alice", "too short", "password")]
)
async def test_invalid_input_is_refused_before_anything_is_hashed(username: str, password: str, field: str) -> None:
    world = World()
    world.hasher.meanwhile = lambda: pytest.fail("hashed")

    with pytest.raises(InvalidError) as refusal:
        await world.use(SignUp)(username, password)

    assert refusal.value.field == field
    assert world.store.users == {}
