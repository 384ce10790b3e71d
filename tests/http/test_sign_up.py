from uuid import UUID

import pytest

from gatehouse.testing.answers import PASSWORD_RULE, REQUIRED, USERNAME_RULE, assert_problem, rfc3339
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import LOGIN, RunningApp

SIGN_UP = "/api/v1/account/signup"
ME = "/api/v1/account/me"


@pytest.mark.promise("Z9")
async def test_a_stranger_gets_an_account_of_their_own(app: RunningApp) -> None:
    client = await app.client()

    answer = await client.post(SIGN_UP, json={"username": "alice", "password": PASSWORD})

    account = answer.json()
    now = rfc3339(app.clock.now())
    assert answer.status_code == 201
    assert UUID(account.pop("id")).version == 7
    times = {"created_at": now, "updated_at": now, "last_login_at": None}
    assert account == {"username": "alice", "role": "user", "is_active": True, **times}


async def test_the_account_is_there_for_its_owner_to_log_in(app: RunningApp) -> None:
    client = await app.client()
    account = (await client.post(SIGN_UP, json={"username": "alice", "password": PASSWORD})).json()

    me = (await (await app.log_in("alice")).get(ME)).json()
    assert me == {**account, "last_login_at": rfc3339(app.clock.now())}


async def test_signing_up_is_not_logging_in(app: RunningApp) -> None:
    client = await app.client()

    answer = await client.post(SIGN_UP, json={"username": "alice", "password": PASSWORD})

    assert "set-cookie" not in answer.headers
    assert (await client.get(ME)).status_code == 401


async def test_a_username_is_kept_in_lower_case(app: RunningApp) -> None:
    client = await app.client()

    answer = await client.post(SIGN_UP, json={"username": "Alice.B-2", "password": PASSWORD})

    assert answer.json()["username"] == "alice.b-2"


@pytest.mark.promise("L6")
@pytest.mark.parametrize("username", ["alice", "ALICE", "aLiCe"])
async def test_a_username_is_taken_in_any_case(app: RunningApp, username: str) -> None:
    await app.add_user("alice")

    answer = await (await app.client()).post(SIGN_UP, json={"username": username, "password": PASSWORD})

    assert_problem(answer, "username-taken")


async def test_the_name_of_an_inactive_account_stays_taken(app: RunningApp) -> None:
    await app.add_user("alice", is_active=False)

    answer = await (await app.client()).post(SIGN_UP, json={"username": "alice", "password": PASSWORD})

    assert_problem(answer, "username-taken")


@pytest.mark.parametrize("username", ["alice", "mallory"])
async def test_whoever_is_logged_in_does_not_sign_up(app: RunningApp, username: str) -> None:
    client = await app.logged_in("alice")

    answer = await client.post(SIGN_UP, json={"username": username, "password": PASSWORD})

    assert_problem(answer, "already-authenticated")


@pytest.mark.promise("L6")
@pytest.mark.parametrize(
    "username",
    [
        "",
        "four",
        "a" * 21,
        ".alice",
        "alice-",
        "al..ice",
        "al._ice",
        "al ice",
        "alice\n",
        "alice\0",
        "\u0430lice",
        "\u212aelvin",
    ],
)
async def test_a_username_that_breaks_the_rule_is_refused(app: RunningApp, username: str) -> None:
    answer = await (await app.client()).post(SIGN_UP, json={"username": username, "password": PASSWORD})

    assert_problem(answer, "invalid-input", ("username", USERNAME_RULE))


@pytest.mark.parametrize("username", ["alice", "a" * 20, "12345", "a.b_c-d"])
async def test_a_username_that_keeps_the_rule_is_accepted(app: RunningApp, username: str) -> None:
    answer = await (await app.client()).post(SIGN_UP, json={"username": username, "password": PASSWORD})

    assert answer.status_code == 201


@pytest.mark.parametrize("password", ["", "x" * 14, "x" * 129, "e\u0301" * 14])
async def test_a_password_too_short_or_too_long_is_refused(app: RunningApp, password: str) -> None:
    answer = await (await app.client()).post(SIGN_UP, json={"username": "alice", "password": password})

    assert_problem(answer, "invalid-input", ("password", PASSWORD_RULE))


@pytest.mark.parametrize("password", [PASSWORD, f" {PASSWORD} ", "пароль из слов 🗝️🗝️🗝️"])
async def test_a_password_of_any_text_opens_its_account(app: RunningApp, password: str) -> None:
    client = await app.client()
    account = {"username": "alice", "password": password}

    assert (await client.post(SIGN_UP, json=account)).status_code == 201

    assert (await client.post(LOGIN, json={**account, "password": password.strip() + "!"})).status_code == 401
    assert (await client.post(LOGIN, json=account)).status_code == 204


@pytest.mark.promise("Z9")
@pytest.mark.parametrize("extra", ["role", "is_active", "id"])
async def test_nothing_but_name_and_password_can_be_asked_for(app: RunningApp, extra: str) -> None:
    client = await app.client()

    answer = await client.post(SIGN_UP, json={"username": "alice", "password": PASSWORD, extra: "admin"})

    assert_problem(answer, "invalid-input", ("body", "Holds an unknown field."))
    assert (await client.post(LOGIN, json={"username": "alice", "password": PASSWORD})).status_code == 401


async def test_name_and_password_are_both_needed(app: RunningApp) -> None:
    answer = await (await app.client()).post(SIGN_UP, json={})

    assert_problem(answer, "invalid-input", ("username", REQUIRED), ("password", REQUIRED))
