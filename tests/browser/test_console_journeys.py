"""People do their work in the console."""

import re
from datetime import timedelta

import psycopg
import pytest
from playwright.async_api import Page, expect

from gatehouse.accounts import Role
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import RunningApp
from tests.browser.conftest import OpenPage
from tests.browser.people import OWN_PASSWORD, fill_in_login, heading, log_in

CHIEF = ("chief", Role.SUPER_ADMIN, True)
ANNA = ("anna.admin", Role.ADMIN, True)
URSULA = ("ursula", Role.USER, True)
MANY = [(f"user{number:03}", Role.USER, True) for number in range(30)]
HOSTILE = "<img src=x onerror=alert(1)> Firefox/1"
SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["with a script", "without a script"])


@SCRIPT
async def test_from_the_first_super_admin_to_an_inactivation_that_logs_another_browser_out(
    app: RunningApp, open_page: OpenPage, url: str, *, script: bool
) -> None:
    await app.add_user("chief", Role.SUPER_ADMIN)
    chief = await open_page(java_script_enabled=script)
    await log_in(chief, url, "chief")

    await chief.get_by_role("link", name="Create a user").click()
    await chief.get_by_label("Username", exact=True).fill("ursula")
    await chief.get_by_text("Propose a strong password").click()
    password = await chief.locator("[data-proposal]").inner_text()
    if script:
        await chief.get_by_role("button", name="Use it").click()
    else:
        await chief.get_by_label("Password", exact=True).fill(password)
    await chief.get_by_role("button", name="Create the user").click()
    await expect(chief.locator(".notice")).to_contain_text("ursula is created")

    ursula = await open_page(expects=(401,), java_script_enabled=script)
    await log_in(ursula, url, "ursula", password)
    await heading(ursula, "Change the password")
    await ursula.goto(f"{url}/console/account")
    await heading(ursula, "Change the password")
    await ursula.get_by_label("Current password").fill(password)
    await ursula.get_by_label("New password").fill(OWN_PASSWORD)
    await ursula.get_by_role("button", name="Change the password").click()
    await heading(ursula, "My account")
    await expect(ursula.get_by_text("This one")).to_be_visible()

    await chief.reload()
    await expect(chief.get_by_role("table", name="Sessions").get_by_role("row")).to_have_count(2)
    await chief.get_by_role("link", name="Inactivate").click()
    await chief.get_by_role("button", name="Inactivate").click()
    await expect(chief.locator(".notice")).to_contain_text("ursula is inactive now")
    await ursula.reload()
    await heading(ursula, "Log in")
    await fill_in_login(ursula, "ursula", OWN_PASSWORD)
    await expect(ursula.get_by_role("alert")).to_contain_text("wrong, or the account is inactive")


@SCRIPT
async def test_several_users_are_acted_on_at_once_with_an_outcome_for_each(
    app: RunningApp, open_page: OpenPage, url: str, *, script: bool
) -> None:
    await app.add_users([ANNA, ("bernd.admin", Role.ADMIN, True), URSULA])
    page = await open_page(java_script_enabled=script)
    await log_in(page, url, "anna.admin")

    await page.get_by_label("Select bernd.admin").check()
    await page.get_by_label("Select ursula").check()
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_role("heading", name="Inactivate: 2 users?")).to_be_visible()
    await page.get_by_role("button", name="Inactivate").click()

    table = page.get_by_role("table", name="What became of each")
    await expect(table.get_by_role("row", name="bernd.admin")).to_contain_text("Refused")
    await expect(table.get_by_role("row", name="ursula")).to_contain_text("Done")
    await expect(page.locator(".notice")).to_have_text("1 done, 1 refused.")


async def test_a_search_shows_what_is_found_while_one_types(app: RunningApp, page: Page, url: str) -> None:
    await app.add_users([CHIEF, *MANY])
    await log_in(page, url, "chief")
    await page.evaluate("window.isTheSamePage = true")

    await page.get_by_label("Username begins with").press_sequentially("user01")

    await expect(page.locator(".count")).to_have_text("10 users")
    await expect(page.get_by_role("table").get_by_role("row")).to_have_count(11)
    await expect(page.get_by_label("Username begins with")).to_be_focused()
    await expect(page.locator("#status")).to_have_text("10 users")
    assert page.url.endswith("?search=user01&limit=20&sorting_field=username&sorting_order=asc")
    assert await page.evaluate("window.isTheSamePage")


async def test_the_address_shows_the_same_again_and_back_and_forward_lead_through(
    app: RunningApp, page: Page, url: str, open_page: OpenPage
) -> None:
    await app.add_users([CHIEF, *MANY])
    await log_in(page, url, "chief")

    await page.get_by_role("link", name="Username").click()
    await expect(page.get_by_role("rowheader").first).to_have_text("user029")
    await page.get_by_role("link", name="Next page").click()
    await expect(page.get_by_role("rowheader").first).to_have_text("user009")
    shared = page.url
    await page.reload()
    await expect(page.get_by_role("rowheader").first).to_have_text("user009")
    await page.go_back()
    await expect(page.get_by_role("rowheader").first).to_have_text("user029")
    await page.go_back()
    await expect(page.get_by_role("rowheader").first).to_have_text("chief")
    await page.go_forward()
    await expect(page.get_by_role("rowheader").first).to_have_text("user029")

    other = await open_page()
    await other.goto(shared)
    await fill_in_login(other, "chief")
    await expect(other.get_by_role("rowheader").first).to_have_text("user009")


async def test_of_two_admins_who_act_on_one_user_the_later_is_told(
    app: RunningApp, open_page: OpenPage, url: str
) -> None:
    await app.add_users([CHIEF, ANNA, URSULA])
    chief, anna = await open_page(), await open_page(expects=(403,))
    await log_in(chief, url, "chief", then="users/ursula")
    await log_in(anna, url, "anna.admin", then="users/ursula")

    await chief.get_by_role("link", name="Make an admin").click()
    await chief.get_by_role("button", name="Make an admin").click()
    await expect(chief.locator(".notice")).to_contain_text("ursula is an admin now")
    await anna.get_by_role("link", name="Inactivate").click()

    await heading(anna, "Your role does not allow this.")
    await expect(anna.get_by_text("Request id")).to_be_visible()


@SCRIPT
async def test_a_session_that_ends_in_the_middle_leads_to_the_login_and_back(
    app: RunningApp, open_page: OpenPage, url: str, *, script: bool
) -> None:
    await app.add_users([CHIEF, URSULA])
    page = await open_page(java_script_enabled=script)
    await log_in(page, url, "chief", then="users/ursula")
    await app.database.execute("DELETE FROM sessions", {})

    await page.get_by_role("link", name="Inactivate").click()
    await heading(page, "Log in")
    await fill_in_login(page, "chief")

    await heading(page, "Inactivate: ursula?")


async def test_who_guesses_has_to_wait_and_sees_for_how_long(app: RunningApp, open_page: OpenPage, url: str) -> None:
    await app.add_user("ursula")
    page = await open_page(expects=(401, 429))
    await page.goto(f"{url}/console/log-in")
    for _ in range(12):
        await fill_in_login(page, "ursula", "a wrong password")
        await expect(page.get_by_role("alert")).to_be_visible()

    await expect(page.get_by_role("alert")).to_contain_text("Too many attempts")
    first = await page.locator("[data-retry-after]").inner_text()
    assert re.fullmatch(r"Try again in \d+ seconds?\.", first)
    await expect(page.locator("[data-retry-after]")).not_to_have_text(first)
    app.clock.at += timedelta(hours=1)
    await fill_in_login(page, "ursula")
    await heading(page, "My account")


async def test_a_database_that_fails_in_the_middle_is_told_and_nothing_happens(
    app: RunningApp, owner: psycopg.Connection, open_page: OpenPage, url: str
) -> None:
    await app.add_users([CHIEF, URSULA])
    page = await open_page(expects=(503,))
    await log_in(page, url, "chief", then="users/ursula")
    await page.get_by_role("link", name="Inactivate").click()
    await expect(page.get_by_role("button", name="Inactivate")).to_be_visible()
    with owner.transaction():
        owner.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        await page.get_by_role("button", name="Inactivate").click()
        await heading(page, "The service cannot answer right now; try again shortly.")

    await page.goto(f"{url}/console/users/ursula")
    await expect(page.get_by_text("Active", exact=True)).to_be_visible()


async def test_what_others_typed_is_shown_as_text(app: RunningApp, open_page: OpenPage, url: str) -> None:
    await app.add_users([CHIEF, URSULA])
    ursula = await open_page(user_agent=HOSTILE)
    await log_in(ursula, url, "ursula")
    await expect(ursula.get_by_text("Firefox", exact=True)).to_be_visible()
    chief = await open_page(expects=(422,))
    await log_in(chief, url, "chief", then="users/ursula")

    await expect(chief.get_by_title(HOSTILE)).to_be_visible()
    await chief.goto(f"{url}/console/users?search=%3Cimg%20src=x%3E")
    await expect(chief.get_by_role("alert")).to_be_visible()
    assert await chief.locator("img").count() == 0


async def test_the_colours_are_the_systems_or_as_chosen(open_page: OpenPage, url: str) -> None:
    page = await open_page(color_scheme="dark", java_script_enabled=False)
    await page.goto(f"{url}/console/log-in")
    dark, light = "rgb(20, 23, 28)", "rgb(246, 247, 249)"

    await expect(page.locator("html")).to_have_css("background-color", dark)
    await page.get_by_role("button", name="Light").click()
    await expect(page.locator("html")).to_have_css("background-color", light)
    await page.goto(f"{url}/console/sign-up")
    await expect(page.locator("html")).to_have_css("background-color", light)
    await page.get_by_role("button", name="Auto").click()
    await expect(page.locator("html")).to_have_css("background-color", dark)


@pytest.mark.usefixtures("app")
async def test_a_stranger_signs_up_and_logs_in(open_page: OpenPage, url: str) -> None:
    page = await open_page(expects=(422,))
    await page.goto(f"{url}/console/sign-up")
    await page.get_by_label("Username", exact=True).fill("ursula")
    await page.get_by_label("Password", exact=True).fill("ursula12345678")
    await page.get_by_role("button", name="Sign up").click()

    await expect(page.get_by_role("alert")).to_be_focused()
    await expect(page.get_by_label("Username", exact=True)).to_have_value("ursula")
    await expect(page.get_by_label("Password", exact=True)).to_have_value("")
    await expect(page.get_by_label("Password", exact=True)).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign up").click()
    await expect(page.locator(".notice")).to_contain_text("The account is made.")
    await fill_in_login(page, "ursula")
    await heading(page, "My account")
