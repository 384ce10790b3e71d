"""What a new password has to be, on every path on which one is chosen."""

import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import replace

import httpx
import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.settings import PasswordSettings
from gatehouse.common.settings import Settings
from gatehouse.testing.answers import PASSWORD_RULE, assert_done, assert_problem
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import RunningApp, try_log_in

SIGN_UP = "/api/v1/account/signup"
USERS = "/api/v1/users/"
CHANGE = f"{USERS}change_password"
LONG = "violet kettle under thirteen maples; nobody counts the swallows, 7 of them, that left us in autumn for another "
type Choose = Callable[[RunningApp, str], Awaitable[httpx.Response]]


async def sign_up(app: RunningApp, password: str) -> httpx.Response:
    return await (await app.client()).post(SIGN_UP, json={"username": "alice", "password": password})


async def create_user(app: RunningApp, password: str) -> httpx.Response:
    admin = await app.logged_in("admin", Role.ADMIN)
    return await admin.post(USERS, json={"username": "alice", "password": password})


async def change_own(app: RunningApp, password: str) -> httpx.Response:
    client = await app.logged_in("alice")
    body = {"username": "alice", "password": password, "current_password": PASSWORD}
    return await client.patch(CHANGE, json=body)


async def change_a_subordinates(app: RunningApp, password: str) -> httpx.Response:
    await app.add_user("alice")
    admin = await app.logged_in("admin", Role.ADMIN)
    return await admin.patch(CHANGE, json={"username": "alice", "password": password})


every_path = pytest.mark.parametrize("choose", [sign_up, create_user, change_own, change_a_subordinates])
GOOD = [
    pytest.param("violet kettle u", marks=pytest.mark.promise("P1")),
    pytest.param(LONG[:64], marks=pytest.mark.promise("P2")),
    pytest.param((LONG * 2)[:128], marks=pytest.mark.promise("P2")),
    pytest.param("violetkettleundermaples", marks=pytest.mark.promise("P3")),
    pytest.param(f"  {PASSWORD}  ", marks=pytest.mark.promise("P3", "P4")),
    pytest.param("\U0001f5dd пароль из слов \U0001f1e8\U0001f1ed", marks=pytest.mark.promise("P3")),
]


@every_path
@pytest.mark.parametrize("password", GOOD)
async def test_a_long_password_of_any_text_is_taken_as_it_is(app: RunningApp, choose: Choose, password: str) -> None:
    assert (await choose(app, password)).is_success
    client = await app.client()

    for other_password in (password.strip()[:-1], password.swapcase(), password + " "):
        if other_password != password:
            assert_problem(await try_log_in(client, password=other_password), "invalid-credentials")
    assert_done(await try_log_in(client, password=password))


@pytest.mark.promise("P1", "P2")
@every_path
@pytest.mark.parametrize("password", ["", "violet kettle ", "\U0001f5dd" * 14, (LONG * 2)[:129], "x" * 5000])
async def test_a_password_too_short_or_too_long_is_refused(app: RunningApp, choose: Choose, password: str) -> None:
    assert_problem(await choose(app, password), "invalid-input", ("password", PASSWORD_RULE))


@pytest.mark.promise("P1")
@pytest.mark.usefixtures("app")
async def test_the_shortest_length_can_be_configured(settings: Settings) -> None:
    lenient_settings = settings.replace(replace(settings[PasswordSettings], min_length=8))
    async with run_app(lenient_settings) as other_app:
        problem = ("password", "Must have 8 to 128 characters.")
        assert_problem(await sign_up(other_app, "kx7 vqm"), "invalid-input", problem)
        assert (await sign_up(other_app, "kx7 vqmz!rw")).status_code == 201


@pytest.mark.promise("P4")
async def test_length_is_counted_in_composed_form(app: RunningApp) -> None:
    fourteen = unicodedata.normalize("NFD", "vï\xf6let këttlé")[:19]
    assert len(fourteen) >= 15 > len(unicodedata.normalize("NFC", fourteen))

    assert_problem(await sign_up(app, fourteen), "invalid-input", ("password", PASSWORD_RULE))


@pytest.mark.promise("P5", "I3")
@every_path
@pytest.mark.parametrize(
    "password",
    [
        pytest.param("never gonna give you up", id="common"),
        pytest.param("Never Gonna GiveYou Up", id="common, written otherwise"),
        pytest.param("passwordpassword", id="a common word twice"),
        pytest.param("aaaaaaaaaaaaaaaaaaaa", id="a repeat"),
        pytest.param("xk7xk7xk7xk7xk7xk7", id="a longer repeat"),
        pytest.param("abcdefghijklmnopqrst", id="a sequence"),
        pytest.param("1234567890123456", id="digits"),
        pytest.param("qwertyuiopasdfghjkl", id="a keyboard walk"),
        pytest.param("1qaz2wsx3edc4rfv", id="another keyboard walk"),
        pytest.param("alice-alice-alice", id="the username"),
        pytest.param("gatehouse-gatehouse", id="the service's name"),
        pytest.param("Gatehouse2026!!", id="the service's name and a year"),
    ],
)
async def test_a_guessable_password_is_refused_with_the_reason(app: RunningApp, choose: Choose, password: str) -> None:
    answer = await choose(app, password)

    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert_problem(answer, "invalid-input", ("password", error["message"]))
    assert error["message"].endswith(".")
    assert error["message"] != PASSWORD_RULE
    assert password.lower() not in answer.text.lower()


@pytest.mark.promise("P5")
@pytest.mark.usefixtures("app")
async def test_a_list_of_ones_own_replaces_the_shipped_one(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    blocklist_file = tmp_path_factory.mktemp("blocklist") / "refused.txt"
    blocklist_file.write_text(f"{PASSWORD.title()}\n")
    own_settings = settings.replace(replace(settings[PasswordSettings], blocklist=str(blocklist_file)))
    async with run_app(own_settings) as other_app:
        problem = ("password", "Is a password that everyone knows.")
        assert_problem(await sign_up(other_app, PASSWORD), "invalid-input", problem)
        assert (await sign_up(other_app, "correct horse battery staple")).status_code == 201


async def test_the_example_of_the_documentation_is_refused(app: RunningApp) -> None:
    assert_problem(
        await sign_up(app, "correct horse battery staple"),
        "invalid-input",
        ("password", "Is a password that everyone knows."),
    )
