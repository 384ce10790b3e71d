import unicodedata

import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.answers import REQUIRED, SECURITY_HEADERS, account_of, assert_done, assert_problem
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import COOKIE, LOGIN, RunningApp, cookie, token_of

LOGOUT = "/api/v1/account/logout"
ME = "/api/v1/account/me"
SIGN_UP = "/api/v1/account/signup"


async def test_the_cookie_of_a_login_opens_the_account(app: RunningApp) -> None:
    alice = await app.add_user("alice")
    client = await app.client()

    answer = await client.post(LOGIN, json={"username": "alice", "password": PASSWORD})

    assert_done(answer)
    assert token_of(client)
    assert (await client.get(ME)).json() == account_of(alice, last_login_at=app.clock.now())


@pytest.mark.parametrize("role", Role)
async def test_every_role_logs_in(app: RunningApp, role: Role) -> None:
    client = await app.logged_in("alice", role)

    assert (await client.get(ME)).json()["role"] == role


async def test_the_username_counts_in_any_case(app: RunningApp) -> None:
    await app.add_user("alice")

    assert (await (await app.log_in("ALICE")).get(ME)).status_code == 200


@pytest.mark.promise("L1")
@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("nobody", PASSWORD),
        ("alice", "wrong " + PASSWORD),
        ("alice", PASSWORD.upper()),
        ("alice", PASSWORD + " "),
        ("alice", ""),
        ("sleeper", PASSWORD),
        ("no username at all", PASSWORD),
        ("", ""),
        ("alice", "x" * 10_000),
    ],
)
async def test_unknown_wrong_and_inactive_read_the_same(app: RunningApp, username: str, password: str) -> None:
    await app.add_user("alice")
    await app.add_user("sleeper", is_active=False)
    client = await app.client()

    answer = await client.post(LOGIN, json={"username": username, "password": password})

    assert_problem(answer, "invalid-credentials")
    assert set(answer.headers) == {"content-type", "content-length", "x-request-id", *SECURITY_HEADERS}


async def test_a_refused_login_opens_nothing(app: RunningApp) -> None:
    await app.add_user("alice")
    client = await app.client()

    await client.post(LOGIN, json={"username": "alice", "password": "wrong " + PASSWORD})

    assert client.cookies.get(COOKIE) is None


@pytest.mark.parametrize("password", [PASSWORD, "wrong " + PASSWORD])
async def test_whoever_is_logged_in_logs_out_first(app: RunningApp, password: str) -> None:
    client = await app.logged_in("alice")

    answer = await client.post(LOGIN, json={"username": "alice", "password": password})

    assert_problem(answer, "already-authenticated")
    assert (await client.get(ME)).status_code == 200


async def test_an_ended_session_does_not_stand_in_the_way_of_a_login(app: RunningApp) -> None:
    old = token_of(client := await app.logged_in("alice"))
    await client.delete(LOGOUT)

    answer = await client.post(LOGIN, json={"username": "alice", "password": PASSWORD}, headers=cookie(old))

    assert_done(answer)


async def test_a_forged_session_does_not_stand_in_the_way_of_a_login(app: RunningApp) -> None:
    await app.add_user("alice")
    client = await app.client()

    answer = await client.post(LOGIN, json={"username": "alice", "password": PASSWORD}, headers=cookie("forged"))

    assert_done(answer)


async def test_every_login_opens_a_session_of_its_own(app: RunningApp) -> None:
    at_home = await app.logged_in("alice")
    at_work = await app.log_in("alice")
    assert token_of(at_home) != token_of(at_work)

    await at_home.delete(LOGOUT)

    assert (await at_work.get(ME)).status_code == 200


@pytest.mark.promise("P4")
async def test_a_password_is_the_same_however_its_accents_are_typed(app: RunningApp) -> None:
    password = "çà et là, un été sans fin"
    client = await app.client()
    await client.post(SIGN_UP, json={"username": "alice", "password": unicodedata.normalize("NFD", password)})

    answer = await client.post(LOGIN, json={"username": "alice", "password": unicodedata.normalize("NFC", password)})

    assert_done(answer)


@pytest.mark.promise("P2")
async def test_passwords_that_differ_after_72_bytes_differ(app: RunningApp) -> None:
    client = await app.client()
    alike = f"{PASSWORD}, {PASSWORD}"
    alike += "." * (72 - len(alike))
    account = {"username": "alice", "password": alike + " one"}
    assert (await client.post(SIGN_UP, json=account)).status_code == 201

    assert_problem(await client.post(LOGIN, json={**account, "password": alike + " two"}), "invalid-credentials")
    assert_done(await client.post(LOGIN, json=account))


async def test_name_and_password_are_both_needed(app: RunningApp) -> None:
    answer = await (await app.client()).post(LOGIN, json={})

    assert_problem(answer, "invalid-input", ("username", REQUIRED), ("password", REQUIRED))
