"""Clumsy people, and bad networks."""

import asyncio
import contextlib

import pytest
from playwright.async_api import Error, Page, Route, expect

from gatehouse.accounts import Role
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import RunningApp
from tests.browser.conftest import OpenPage
from tests.browser.people import fill_in_login, heading, log_in

CHIEF = ("chief", Role.SUPER_ADMIN, True)
URSULA = ("ursula", Role.USER, True)
SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["with a script", "without a script"])
MANY = [(f"user{number:03}", Role.USER, True) for number in range(30)]


async def test_a_double_click_sends_a_form_once(app: RunningApp, page: Page, url: str) -> None:
    await app.add_user("chief", Role.SUPER_ADMIN)
    await log_in(page, url, "chief", then="users/new")
    await page.get_by_label("Username").fill("ursula")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)

    await page.get_by_role("button", name="Create the user").dblclick()
    await heading(page, "ursula")
    await page.wait_for_load_state("networkidle")

    await heading(page, "ursula")


@SCRIPT
async def test_choosing_colours_does_not_tell_again_what_was_done(
    app: RunningApp, open_page: OpenPage, url: str, *, script: bool
) -> None:
    page = await open_page(java_script_enabled=script)
    await app.add_users([CHIEF, URSULA])
    await log_in(page, url, "chief")
    await page.goto(f"{url}/console/users/ursula?done=create")
    await expect(page.locator(".notice")).to_be_visible()

    await page.get_by_role("button", name="Dark").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")

    await heading(page, "ursula")
    await expect(page.locator(".notice")).to_have_count(0)


async def test_what_is_selected_after_a_search_stays_selected(app: RunningApp, page: Page, url: str) -> None:
    await app.add_users([CHIEF, *MANY])
    await log_in(page, url, "chief")
    await page.get_by_label("Username begins with").press_sequentially("user01")
    await expect(page.locator(".count")).to_have_text("10 users")
    await page.get_by_label("Select user011").click()
    await page.wait_for_load_state("networkidle")
    await expect(page.get_by_label("Select user011")).to_be_checked()


async def test_a_name_pasted_with_blanks_around_it_is_found(app: RunningApp, page: Page, url: str) -> None:
    await app.add_users([CHIEF, URSULA])
    await log_in(page, url, "chief")
    await page.get_by_label("Username begins with").fill("  ursula ")
    await expect(page.locator(".count")).to_have_text("1 user")


async def test_text_that_begins_no_name_is_said_as_one_types(app: RunningApp, open_page: OpenPage, url: str) -> None:
    page = await open_page(expects=(422,))
    await app.add_users([CHIEF, URSULA])
    await log_in(page, url, "chief")
    await page.get_by_label("Username begins with").press_sequentially("<")
    await expect(page.get_by_text("Must ")).to_be_visible()
    await expect(page.get_by_label("Username begins with")).to_be_focused()


async def test_nothing_selected_is_said(app: RunningApp, open_page: OpenPage, url: str) -> None:
    page = await open_page(expects=(422,))
    await app.add_users([CHIEF, URSULA])
    await log_in(page, url, "chief")
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_text("Select 1 to 100 users.")).to_be_visible()


async def test_a_lost_network_is_shown(app: RunningApp, open_page: OpenPage, url: str) -> None:
    page = await open_page(expects_no_network=True)
    await app.add_users([CHIEF, URSULA])
    await log_in(page, url, "chief")
    await page.context.set_offline(True)
    await page.get_by_label("Username begins with").fill("urs")
    await expect(page.get_by_text("The server cannot be reached.")).to_be_in_viewport()
    await expect(page.get_by_role("status")).to_have_class("failure")


async def test_choosing_colours_keeps_where_the_login_leads(app: RunningApp, page: Page, url: str) -> None:
    await app.add_users([CHIEF, URSULA])
    await page.goto(f"{url}/console/users/ursula")
    await page.get_by_role("button", name="Dark").click()
    await page.wait_for_url("**/console/log-in?**")
    await fill_in_login(page, "chief")
    await heading(page, "ursula")


async def test_an_account_named_like_a_page_can_be_administered(app: RunningApp, page: Page, url: str) -> None:
    await app.add_users([CHIEF, ("selected", Role.USER, True)])
    await log_in(page, url, "chief")
    await page.get_by_role("link", name="selected").click()
    await heading(page, "selected")


@SCRIPT
async def test_logging_out_of_a_session_that_has_ended(
    app: RunningApp, open_page: OpenPage, url: str, *, script: bool
) -> None:
    page = await open_page(java_script_enabled=script)
    await app.add_users([CHIEF, URSULA])
    await log_in(page, url, "chief")
    await app.database.execute("DELETE FROM sessions", {})
    await page.get_by_role("button", name="Log out").click()
    await heading(page, "Log in")
    await fill_in_login(page, "chief")
    await heading(page, "Users")


@SCRIPT
async def test_what_was_typed_before_the_session_ended_is_not_lost_silently(
    app: RunningApp, open_page: OpenPage, url: str, *, script: bool
) -> None:
    page = await open_page(java_script_enabled=script)
    await app.add_users([CHIEF])
    await log_in(page, url, "chief", then="users/new")
    await page.get_by_label("Username").fill("ursula")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await app.database.execute("DELETE FROM sessions", {})
    await page.get_by_role("button", name="Create the user").click()
    await heading(page, "Log in")
    await expect(page.locator("main").get_by_text("was not done")).to_be_visible()
    await fill_in_login(page, "chief")
    await heading(page, "Create a user")


async def test_a_double_click_on_a_link_is_one_step_in_the_history(app: RunningApp, page: Page, url: str) -> None:
    await app.add_users([CHIEF, URSULA])
    await log_in(page, url, "chief")
    await page.get_by_role("link", name="ursula").dblclick()
    await heading(page, "ursula")
    await page.wait_for_load_state("networkidle")
    await page.go_back()
    await heading(page, "Users")


async def test_of_two_links_the_later_click_counts(app: RunningApp, page: Page, url: str) -> None:
    await app.add_users([CHIEF, URSULA])
    await log_in(page, url, "chief")
    release = asyncio.Event()

    async def wait(route: Route) -> None:
        await release.wait()
        with contextlib.suppress(Error):
            await route.continue_()

    await page.route("**/users/ursula", wait)
    await page.get_by_role("link", name="ursula").click()
    await page.get_by_role("link", name="My account").click()
    await heading(page, "My account")
    release.set()
    await page.wait_for_load_state("networkidle")
    await heading(page, "My account")


async def test_a_dialog_without_an_answer_says_so(app: RunningApp, open_page: OpenPage, url: str) -> None:
    page = await open_page(expects_no_network=True)
    await app.add_users([CHIEF, URSULA])
    await log_in(page, url, "chief", then="users/ursula")
    await page.get_by_role("link", name="Inactivate").click()
    await page.context.set_offline(True)
    await page.get_by_role("button", name="Inactivate").click()

    await expect(page.get_by_role("status")).to_have_text(
        "No answer came. Load the page again to see whether it was done."
    )
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.context.set_offline(False)
    await page.get_by_role("link", name="Inactivate").click()
    await page.get_by_role("button", name="Inactivate").click()
    await expect(page.locator(".notice")).to_contain_text("ursula is inactive now")
    await expect(page.locator("#status")).to_have_class("unseen")


async def test_keys_can_be_switched_off(app: RunningApp, page: Page, url: str) -> None:
    await app.add_users([CHIEF, URSULA])
    await log_in(page, url, "chief")
    await page.get_by_role("button", name="Keys").click()
    await page.get_by_label("The keys / and ? are on").uncheck()
    await page.get_by_role("button", name="Close").click()
    await page.reload()
    await page.keyboard.press("/")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_label("Username begins with")).not_to_be_focused()
    await page.get_by_role("button", name="Keys").click()
    await expect(page.get_by_label("The keys / and ? are on")).not_to_be_checked()
