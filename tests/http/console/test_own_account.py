"""One's own account in the browser: who I am, and the sessions, which one ends there."""

import httpx
import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.running_app import RunningApp, client_from, try_log_in
from tests.http.console.pages import ACCOUNT, USERS, Page, assert_error_page, assert_led_to, open_page, send

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"


def endings_on(page: Page) -> list[str]:
    return [link for link in page.links if link.startswith(f"{ACCOUNT}/sessions/")]


async def log_in_from(app: RunningApp, ip: str) -> httpx.AsyncClient:
    client = await client_from(app, ip, **{"user-agent": FIREFOX})
    await try_log_in(client)
    return client


async def test_it_says_in_words_which_browsers_are_logged_in_and_marks_this_one(app: RunningApp) -> None:
    await app.add_user("alice")
    here, _ = await log_in_from(app, "192.0.2.1"), await log_in_from(app, "192.0.2.2")

    page = await open_page(here, ACCOUNT)

    rows = sorted(page.rows(), key=lambda row: "This one" not in row)
    assert rows[0].startswith("Firefox on Windows This one 192.0.2.1 ")
    assert rows[1].startswith("Firefox on Windows 192.0.2.2 ")
    assert len(endings_on(page)) == 1


async def test_one_session_ends_and_the_others_stay(app: RunningApp) -> None:
    await app.add_user("alice")
    here, there = await log_in_from(app, "192.0.2.1"), await log_in_from(app, "192.0.2.2")
    [ending] = endings_on(await open_page(here, ACCOUNT))

    asked = await open_page(here, ending)
    assert asked.heading == "End this session?"
    assert "192.0.2.2" in asked.text
    assert (await there.get(ACCOUNT)).status_code == 200
    assert_led_to(await send(here, asked.form(ending)), f"{ACCOUNT}?done=end-session")

    assert (await there.get(ACCOUNT)).status_code == 303
    assert len((await open_page(here, ACCOUNT)).rows()) == 1
    assert_error_page(await here.get(ending), 404)


async def test_all_others_end_and_this_one_stays(app: RunningApp) -> None:
    await app.add_user("alice")
    here, *others = [await log_in_from(app, f"192.0.2.{number}") for number in range(1, 4)]
    path = f"{ACCOUNT}/end-other-sessions"
    assert path in (await open_page(here, ACCOUNT)).links

    assert_led_to(await send(here, (await open_page(here, path)).form(path)), f"{ACCOUNT}?done=end-other-sessions")

    assert [(await other.get(ACCOUNT)).status_code for other in others] == [303, 303]
    assert path not in (await open_page(here, ACCOUNT)).links


@pytest.mark.promise("Z2")
@pytest.mark.parametrize("role", Role)
async def test_nobody_sees_or_ends_the_session_of_another_by_its_id(app: RunningApp, role: Role) -> None:
    client = await app.logged_in("caller", role)
    await app.add_user("alice")
    here, there = await log_in_from(app, "192.0.2.1"), await log_in_from(app, "192.0.2.2")
    [ending] = endings_on(await open_page(here, ACCOUNT))

    assert_error_page(await client.get(ending), 404)
    assert_error_page(await client.post(ending), 404)

    assert (await there.get(ACCOUNT)).status_code == 200


async def test_an_administrator_sees_the_sessions_of_those_below_and_ends_them_all(app: RunningApp) -> None:
    admin = await app.logged_in("admin", Role.ADMIN)
    await app.add_user("alice")
    here = await log_in_from(app, "192.0.2.1")
    page = await open_page(admin, f"{USERS}/alice")
    assert page.rows()[0].startswith("Firefox on Windows 192.0.2.1 ")
    assert endings_on(page) == []
    path = f"{USERS}/alice/end-sessions"

    await send(admin, (await open_page(admin, path)).form(path))

    assert (await here.get(ACCOUNT)).status_code == 303
    assert "There is none." in (await open_page(admin, f"{USERS}/alice")).text


async def test_the_sessions_of_an_equal_are_not_shown(app: RunningApp) -> None:
    admin = await app.logged_in("admin", Role.ADMIN)
    await app.add_user("alice", Role.ADMIN)
    await log_in_from(app, "192.0.2.1")

    page = await open_page(admin, f"{USERS}/alice")

    assert "192.0.2.1" not in page.text
    assert "Sessions" not in page.text
