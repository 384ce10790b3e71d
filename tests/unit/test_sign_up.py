from dataclasses import fields

import pytest

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.commands.sign_up import SignUp
from gatehouse.accounts.domain.errors import UsernameTakenError
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import InvalidError, ThrottledError
from gatehouse.testing.fakes import LIMITS, PASSWORD
from gatehouse.testing.in_memory_app import InMemoryApp


async def test_sign_up_stores_an_active_user_with_a_hashed_password() -> None:
    app = InMemoryApp()

    await app.use(SignUp)("alice", PASSWORD)

    alice = app.user("alice")
    assert (alice.role, alice.is_active) == (Role.USER, True)
    assert alice.password_hash == f"hash of {PASSWORD}"
    assert not alice.must_change_password
    assert alice.created_at == alice.updated_at == app.clock.now()


async def test_the_answer_is_the_account_without_its_password() -> None:
    app = InMemoryApp()

    account = await app.use(SignUp)("Alice", PASSWORD)

    assert account == Account.of(app.user("alice"))
    assert account.username == "alice"
    assert {field.name for field in fields(account)} == {
        "id",
        "username",
        "role",
        "is_active",
        "created_at",
        "updated_at",
        "last_login_at",
    }


async def test_a_username_is_taken_whatever_its_case() -> None:
    app = InMemoryApp()
    alice = app.add_user("alice")

    with pytest.raises(UsernameTakenError):
        await app.use(SignUp)("ALICE", PASSWORD)

    assert list(app.store.users.values()) == [alice]


@pytest.mark.parametrize(
    ("username", "password", "field"),
    [("no", PASSWORD, "username"), ("alice", "too short", "password"), ("alice", "a weak password", "password")],
)
async def test_invalid_input_is_refused_before_anything_is_hashed(username: str, password: str, field: str) -> None:
    app = InMemoryApp()
    app.hasher.meanwhile = lambda: pytest.fail("hashed")

    with pytest.raises(InvalidError) as refusal:
        await app.use(SignUp)(username, password)

    assert refusal.value.field == field
    assert app.store.users == {}


@pytest.mark.promise("L8")
async def test_sign_ups_from_one_address_are_counted_before_anything_is_hashed() -> None:
    app = InMemoryApp()
    counts: list[int] = []
    app.hasher.meanwhile = lambda: counts.extend(app.throttle.counts.values())
    for number in range(LIMITS.sign_ups):
        await app.use(SignUp)(f"user{number}", PASSWORD)

    with pytest.raises(ThrottledError):
        await app.use(SignUp)("alice", PASSWORD)

    assert counts == list(range(1, LIMITS.sign_ups + 1))
    assert len(app.store.users) == LIMITS.sign_ups


@pytest.mark.promise("L8")
async def test_a_sign_up_counts_whether_the_name_is_free_or_taken() -> None:
    app = InMemoryApp()
    app.add_user("alice")

    with pytest.raises(UsernameTakenError):
        await app.use(SignUp)("alice", PASSWORD)

    assert list(app.throttle.counts.values()) == [1]


@pytest.mark.promise("Z11")
@pytest.mark.parametrize(
    "name",
    [
        "admin",
        "Admin",
        "ad.min",
        "a-d_m.in",
        "admin1",
        "root-2026",
        "support",
        "gatehouse",
        "adm1n",
        "5upp0rt",
        "suppor7",
        "ro-07",
    ],
)
async def test_names_of_those_in_charge_cannot_be_signed_up_for(name: str) -> None:
    app = InMemoryApp()

    with pytest.raises(InvalidError) as refusal:
        await app.use(SignUp)(name, PASSWORD)

    assert refusal.value.field == "username"
    assert app.store.users == {}
    assert app.throttle.counts == {}


@pytest.mark.promise("Z11")
@pytest.mark.parametrize("name", ["adminton", "rooted", "the-admin-fan", "supporter", "system-of-a-down"])
async def test_names_that_only_hold_such_a_word_can(name: str) -> None:
    app = InMemoryApp()

    await app.use(SignUp)(name, PASSWORD)

    assert app.user(name).is_active
