"""Logging in and out in the browser, signing up, and the forced change of the password."""

from datetime import timedelta
from typing import Final

import httpx
import psycopg
import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.settings import ThrottleSettings
from gatehouse.common.presentation.http.settings import FeatureSettings
from gatehouse.common.settings import Settings
from gatehouse.testing.database import changed_tables, rows_of
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import COOKIE, LOGIN, RunningApp, cookie, token_of
from tests.http.console.calls import NEW
from tests.http.console.pages import (
    ACCOUNT,
    AUDIT,
    CONSOLE,
    LOG_IN,
    OWN_PASSWORD,
    USERS,
    Page,
    assert_error_page,
    assert_led_to,
    open_page,
    send,
)

SIGN_UP: Final = f"{CONSOLE}sign-up"
LOG_OUT: Final = f"{CONSOLE}log-out"
ME: Final = "/api/v1/account/me"
REFUSAL: Final = "The username or the password is wrong, or the account is inactive."


async def log_in(
    client: httpx.AsyncClient, username: str, password: str = PASSWORD, page: str = LOG_IN
) -> httpx.Response:
    """As a person does: opens the page, fills in the form, sends it."""
    return await send(client, (await open_page(client, page)).form(LOG_IN), username=username, password=password)


@pytest.mark.parametrize(("role", "start"), [(Role.USER, ACCOUNT), (Role.ADMIN, USERS), (Role.SUPER_ADMIN, USERS)])
async def test_a_login_leads_to_where_the_role_begins(app: RunningApp, role: Role, start: str) -> None:
    await app.add_user("alice", role)
    client = await app.client()

    answer = await log_in(client, "Alice")

    assert_led_to(answer, CONSOLE)
    assert_led_to(await client.get(CONSOLE), start)
    assert "alice" in (await open_page(client, start)).text
    assert (await client.get(ME)).json()["username"] == "alice"


@pytest.mark.promise("S11")
async def test_the_cookie_is_that_of_the_api(app: RunningApp) -> None:
    await app.add_user("alice")
    by_form, by_json = await app.client(), await app.client()
    account = {"username": "alice", "password": PASSWORD}

    page_answer, api_answer = await by_form.post(LOG_IN, data=account), await by_json.post(LOGIN, json=account)

    [of_page], [of_api] = page_answer.headers.get_list("set-cookie"), api_answer.headers.get_list("set-cookie")
    assert of_page.replace(token_of(by_form), "") == of_api.replace(token_of(by_json), "")


@pytest.mark.promise("L1", "I2")
@pytest.mark.parametrize("next_page", ["", USERS])
async def test_unknown_wrong_inactive_and_impossible_read_the_same(app: RunningApp, next_page: str) -> None:
    await app.add_user("alice")
    await app.add_user("sleeper", is_active=False)
    client = await app.client()
    attempts = [
        ("nobody", PASSWORD),
        ("alice", "wrong " + PASSWORD),
        ("alice", ""),
        ("alice", "x" * 10_000),
        ("sleeper", PASSWORD),
        ("no username at all", PASSWORD),
        ("", ""),
        ("\0", PASSWORD),
        ("alice\0", PASSWORD),
        ("ålice", PASSWORD),
        ("x" * 5000, PASSWORD),
    ]

    told = set()
    for username, password in attempts:
        answer = await client.post(LOG_IN, data={"username": username, "password": password, "next": next_page})
        page = Page(answer)
        assert REFUSAL in page.text
        assert page.form(LOG_IN).fields_with()["username"] == [username]
        typed = f'name="username" type="text" value="{username}"'
        assert answer.text.count(typed) == 1
        headers = {
            name: value for name, value in answer.headers.items() if name not in ("content-length", "x-request-id")
        }
        app.clock.advance(timedelta(hours=1))  # which forgives
        told.add((answer.status_code, answer.text.replace(typed, ""), str(headers)))

    assert [status for status, *_ in told] == [401]
    assert client.cookies.get(COOKIE) is None


@pytest.mark.promise("L3", "L4")
async def test_who_guesses_waits_as_long_as_the_page_says(app: RunningApp) -> None:
    await app.add_user("alice")
    client = await app.client()
    for _ in range(5):
        assert (await log_in(client, "alice", "wrong " + PASSWORD)).status_code == 401
    app.clock.advance(timedelta(milliseconds=-200))

    answer = await log_in(client, "alice")

    assert answer.status_code == 429
    page = Page(answer)
    [wait] = [element for element in page.elements if element["data-retry-after"]]
    assert wait["data-retry-after"] == answer.headers["retry-after"] == "2"
    assert wait.text == "Try again in 2 seconds."
    assert page.form(LOG_IN).fields_with()["username"] == ["alice"]
    app.clock.advance(timedelta(seconds=2))
    assert_led_to(await log_in(client, "alice"), CONSOLE)


@pytest.mark.promise("L5", "P10")
async def test_forms_and_the_api_share_the_count(app: RunningApp) -> None:
    alice, client = await app.logged_in("alice"), await app.client()
    for _ in range(2):
        await client.post(LOGIN, json={"username": "alice", "password": "wrong " + PASSWORD})
    for _ in range(2):
        await alice.post(OWN_PASSWORD, data={"current_password": "wrong " + PASSWORD, "password": NEW})
    await log_in(client, "alice", "wrong " + PASSWORD)

    assert (await log_in(client, "alice")).status_code == 429
    answer = await alice.post(OWN_PASSWORD, data={"current_password": PASSWORD, "password": NEW})

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert "Try again in 1 second." in Page(answer).text
    assert (await client.post(LOGIN, json={"username": "alice", "password": PASSWORD})).status_code == 429


PAGES_AFTER = [
    ACCOUNT,
    USERS,
    f"{USERS}?search=al&role=user&sorting_field=created_at",
    f"{USERS}/alice.b-1_c",
    f"{USERS}/alice/inactivate",
    f"{AUDIT}?since=2026-01-01T00%3A00%3A00%2B00%3A00",
    f"{ACCOUNT}/sessions/01a21f21-acfc-79c0-b3b7-ebf2f47ee2a3/end",
]


@pytest.mark.parametrize("path", PAGES_AFTER)
async def test_after_a_login_one_is_where_one_wanted_to_go(app: RunningApp, path: str) -> None:
    await app.add_user("alice", Role.SUPER_ADMIN)
    client = await app.client()

    asked = await client.get(path)
    assert asked.status_code == 303
    answer = await log_in(client, "alice", page=asked.headers["location"])

    assert_led_to(answer, path)


async def test_one_gets_there_after_a_mistake_too(app: RunningApp) -> None:
    await app.add_user("alice", Role.ADMIN)
    client = await app.client()
    asked = await client.get(f"{USERS}?role=user")
    refused = await log_in(client, "alice", "wrong", page=asked.headers["location"])

    answer = await send(client, Page(refused).form(LOG_IN), username="alice", password=PASSWORD)

    assert_led_to(answer, f"{USERS}?role=user")


ELSEWHERE: Final = [
    "//evil.test",
    "///evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "https://evil.test/console/",
    "https:evil.test",
    "javascript:alert(1)",
    "evil.test",
    "/",
    "/api/v1/account/me",
    "/consoles/",
    "/console/../api/v1/",
    "/console/../../",
    "/console/..//evil.test",
    "/console/./..",
    "/console/%2e%2e/api/v1/",
    "/console/users/..%2f..",
    "/console//evil.test",
    "/console/\\evil.test",
    "/console/@evil.test",
    "/console/users\n",
    "\n/console/users",
    "/console/\r\nset-cookie: a=b",
    "/console/%0d%0aset-cookie:a=b",
    "/console/users#//evil.test",
    "/console/users?a=<img src=x onerror=alert(1)>",
    "/console/usérs",
    "/console/users\0",
    "\t/console/users",
    "https://gatehouse.test/console/users",
    "/console/" + "a" * 10_000 + "\n",
    LOG_IN,
    f"{LOG_IN}?next=//evil.test",
    LOG_OUT,
    "",
]


@pytest.mark.promise("C6")
async def test_no_form_leads_out_of_the_console(app: RunningApp) -> None:
    client = await app.client()

    for elsewhere in [path for path in ELSEWHERE if not path.startswith(LOG_IN)]:
        answer = await client.post(f"{CONSOLE}theme", data={"theme": "dark", "next": elsewhere})
        assert_led_to(answer, CONSOLE)


@pytest.mark.promise("C6")
@pytest.mark.parametrize("elsewhere", [*ELSEWHERE[:3], "/console/../api/v1/", "/console/\r\nset-cookie: a=b"])
async def test_a_login_leads_nowhere_else(app: RunningApp, elsewhere: str) -> None:
    await app.add_user("alice")
    client = await app.client()
    page = Page(await client.get(LOG_IN, params={"next": elsewhere}))

    answer = await send(client, page.form(LOG_IN), username="alice", password=PASSWORD, next=elsewhere)

    assert_led_to(answer, CONSOLE)
    assert answer.headers.get_list("set-cookie")[0].startswith(COOKIE)
    assert not [link for link in page.links if "evil" in link]


async def test_whoever_is_logged_in_is_led_on(app: RunningApp) -> None:
    alice = await app.logged_in("alice")
    await app.add_user("bobby")

    assert_led_to(await alice.get(LOG_IN), CONSOLE)
    assert_led_to(await alice.get(SIGN_UP), CONSOLE)
    assert_led_to(await alice.post(LOG_IN, data={"username": "bobby", "password": PASSWORD}), CONSOLE)

    assert (await alice.get(ME)).json()["username"] == "alice"


@pytest.mark.promise("S7", "S11")
async def test_logging_out_ends_the_session_and_takes_the_cookie_away(app: RunningApp) -> None:
    client = await app.logged_in("alice")
    old = token_of(client)
    page = await open_page(client, ACCOUNT)

    answer = await send(client, page.form(LOG_OUT))

    assert_led_to(answer, LOG_IN)
    [cleared] = answer.headers.get_list("set-cookie")
    assert cleared.startswith(f'{COOKIE}="";')
    assert {"Max-Age=0", "Path=/", "Secure", "HttpOnly"} <= {part.strip() for part in cleared.split(";")}
    assert_led_to(await client.get(ACCOUNT, headers=cookie(old)), f"{LOG_IN}?next=%2Fconsole%2Faccount")


@pytest.mark.promise("S7")
async def test_logging_out_of_an_ended_session_takes_the_cookie_away_too(app: RunningApp) -> None:
    client = await app.logged_in("alice")
    await app.database.execute("DELETE FROM sessions", {})

    answer = await client.post(LOG_OUT)

    assert_led_to(answer, LOG_IN)
    assert "Max-Age=0" in answer.headers["set-cookie"]


@pytest.mark.promise("S12")
@pytest.mark.parametrize("path", [ACCOUNT, LOG_IN])
async def test_two_session_cookies_open_nothing_and_the_page_says_what_to_do(app: RunningApp, path: str) -> None:
    token = token_of(await app.logged_in("alice"))
    client = await app.client(cookie=f"{COOKIE}={token}; {COOKIE}={token}")

    page = assert_error_page(await client.get(path), 401)

    assert "Delete the cookies of this site" in page.text


@pytest.mark.promise("S8")
async def test_an_inactivation_ends_on_the_next_page_at_the_login(app: RunningApp) -> None:
    client, chief = await app.logged_in("alice"), await app.logged_in("chief", Role.SUPER_ADMIN)
    await open_page(client, ACCOUNT)

    await send(chief, (await open_page(chief, f"{USERS}/alice/inactivate")).form(f"{USERS}/alice/inactivate"))

    assert_led_to(await client.get(ACCOUNT), f"{LOG_IN}?next=%2Fconsole%2Faccount")


async def test_a_session_that_ended_under_a_form_leads_to_the_login_and_back(
    app: RunningApp, owner: psycopg.Connection
) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    await app.add_user("alice")
    form = (await open_page(chief, f"{USERS}/alice/inactivate")).form(f"{USERS}/alice/inactivate")
    await app.database.execute("DELETE FROM sessions", {})
    before = rows_of(owner)

    answer = await send(chief, form)
    assert changed_tables(before, rows_of(owner)) == set()
    back = await log_in(chief, "chief", page=answer.headers["location"])

    assert (await open_page(chief, back.headers["location"])).heading == "Inactivate: alice?"


@pytest.mark.promise("P11")
@pytest.mark.parametrize("role", [Role.USER, Role.ADMIN])
async def test_a_password_that_an_admin_chose_is_changed_first_and_then_all_opens(app: RunningApp, role: Role) -> None:
    chief, client = await app.logged_in("chief", Role.SUPER_ADMIN), await app.client()
    form = (await open_page(chief, f"{USERS}/new")).form(f"{USERS}/new")
    await send(chief, form, username="alice", password=PASSWORD, role=role.value)

    await log_in(client, "alice")
    assert_led_to(await client.get(CONSOLE), OWN_PASSWORD)
    page = await open_page(client, OWN_PASSWORD)
    assert "An administrator has chosen your password." in page.text
    assert not [link for link in page.of("a") if link.is_in("nav")]
    answer = await send(client, page.form(OWN_PASSWORD), current_password=PASSWORD, password=NEW)

    assert_led_to(answer, f"{ACCOUNT}?done=password")
    page = await open_page(client, f"{ACCOUNT}?done=password")
    assert any("notice" in element["class"] for element in page.elements)
    assert_led_to(await client.get(CONSOLE), ACCOUNT if role is Role.USER else USERS)


@pytest.mark.promise("P11")
@pytest.mark.parametrize(("new", "status"), [(PASSWORD, 422), ("short", 422), ("alicealicealice", 422)])
async def test_a_change_that_fails_says_why_and_opens_nothing(app: RunningApp, new: str, status: int) -> None:
    client = await app.logged_in("alice")
    await app.database.execute("UPDATE users SET must_change_password = true", {})

    answer = await client.post(OWN_PASSWORD, data={"current_password": PASSWORD, "password": new})

    assert answer.status_code == status
    password = Page(answer).with_id("password")
    assert password
    assert password["aria-invalid"] == "true"
    assert_led_to(await client.get(ACCOUNT), OWN_PASSWORD)


@pytest.mark.promise("S9", "S17")
async def test_ones_own_change_ends_other_sessions_and_renews_this_one(app: RunningApp) -> None:
    client = await app.logged_in("alice")
    other, old = await app.log_in("alice"), token_of(client)

    await client.post(OWN_PASSWORD, data={"current_password": PASSWORD, "password": NEW})

    assert token_of(client) != old
    assert (await client.get(ACCOUNT)).status_code == 200
    assert (await other.get(ACCOUNT)).status_code == 303
    assert (await other.get(ACCOUNT, headers=cookie(old))).status_code == 303


@pytest.mark.promise("P10")
async def test_a_wrong_current_password_is_told_beside_its_field(app: RunningApp) -> None:
    client = await app.logged_in("alice")

    answer = await client.post(OWN_PASSWORD, data={"current_password": "wrong", "password": NEW})

    page = Page(answer)
    assert (page.status, page.heading) == (401, "Change the password")
    error = page.with_id("current_password-error")
    assert error
    assert error.text == "Error: This is not your current password."
    assert (await client.get(ACCOUNT)).status_code == 200


async def test_who_signs_up_logs_in_next(app: RunningApp) -> None:
    client = await app.client()
    form = (await open_page(client, SIGN_UP)).form(SIGN_UP)

    answer = await send(client, form, username="alice", password=PASSWORD)

    assert_led_to(answer, f"{LOG_IN}?done=sign-up")
    assert "The account is made." in (await open_page(client, answer.headers["location"])).text
    assert_led_to(await log_in(client, "alice"), CONSOLE)


@pytest.mark.promise("L8")
@pytest.mark.usefixtures("app")
async def test_who_signs_up_too_often_waits(settings: Settings) -> None:
    async with run_app(settings.replace(ThrottleSettings(sign_ups_per_address=1))) as strict:
        client = await strict.client()
        for username in ("alice", "bobby"):
            answer = await client.post(SIGN_UP, data={"username": username, "password": PASSWORD})

    assert answer.status_code == 429
    [wait] = [element for element in Page(answer).elements if element["data-retry-after"]]
    assert wait["data-retry-after"] == answer.headers["retry-after"]


@pytest.mark.usefixtures("app")
async def test_where_sign_up_is_closed_there_is_no_page_of_it_and_no_link_to_it(settings: Settings) -> None:
    async with run_app(settings.replace(FeatureSettings(sign_up=False))) as closed:
        client = await closed.client()

        assert_error_page(await client.get(SIGN_UP), 404)
        assert_error_page(await client.post(SIGN_UP, data={"username": "alice", "password": PASSWORD}), 404)
        assert not [link for link in (await open_page(client, LOG_IN)).links if "sign-up" in link]
