"""WCAG 2.2 AA on every page, in every state, light and dark, and no sideways scrolling at 320 pixels."""

from collections.abc import Awaitable, Callable

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from gatehouse.accounts import Role
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import RunningApp
from tests.browser.conftest import OpenPage
from tests.browser.people import fill_in_login, log_in

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
NARROW = {"width": 320, "height": 800}
WIDE = {"width": 1440, "height": 900}
STRANGERS = ("log-in", "sign-up", "log-in?done=sign-up", "assets/nothing")
PATHS = (
    "users",
    "users?search=ursula",
    "users?search=nobody",
    "users?search=%3C",
    "users/new",
    "users/ursula",
    "users/ursula?done=create",
    "users/chief",
    "users/ursula/inactivate",
    "users/ursula/erase",
    "users/ursula/password",
    "audit",
    "audit?actor=chief",
    "audit?actor=nobody",
    "audit?actor=%3C",
    "account",
    "account/end-other-sessions",
    "password",
    "nowhere",
    "users/nobody",
)
ERRORS = (401, 403, 404, 422, 429)


async def refuse_login(page: Page, _: str) -> None:
    await fill_in_login(page, "ursula", "wrong")


async def open_dialog(page: Page, url: str) -> None:
    await log_in(page, url, "chief", then="users/ursula")
    await page.get_by_role("link", name="Erase").click()
    await expect(page.get_by_role("dialog")).to_be_visible()


async def refuse_new_user(page: Page, url: str) -> None:
    await log_in(page, url, "chief", then="users/new")
    await page.get_by_label("Username", exact=True).fill("!")
    await page.get_by_label("Password", exact=True).fill("short")
    await page.get_by_role("button", name="Create the user").click()
    await expect(page.get_by_role("alert")).to_be_visible()


async def act_on_several(page: Page, url: str) -> None:
    await log_in(page, url, "chief", then="users")
    await page.get_by_label("Select ursula").check()
    await page.get_by_label("Select chief").check()
    await page.get_by_role("button", name="Go on").click()
    await page.get_by_role("button", name="Inactivate").click()
    await expect(page.get_by_role("table", name="What became of each")).to_be_visible()


async def show_keys(page: Page, url: str) -> None:
    await log_in(page, url, "chief", then="users")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


SPACED = """() => {
  const sheet = document.styleSheets[0];
  sheet.insertRule("* { line-height: 1.5 !important; letter-spacing: 0.12em !important }");
  sheet.insertRule("* { word-spacing: 0.16em !important }");
  sheet.insertRule("p { margin-bottom: 2em !important }");
}"""
"""What readers set (WCAG 2.2, 1.4.12)."""
CUT_OFF = """() => [...document.querySelectorAll("body *:not(.unseen, input)")]
  .filter((one) => getComputedStyle(one).overflowX === "hidden" && one.scrollWidth > one.clientWidth)
  .map((one) => one.textContent)"""
SMALL = """() => [...document.querySelectorAll("a:not(.skip), button, input, select, summary")]
  .filter((one) => one.checkVisibility() && !(one.matches("p a, li a") && one.parentNode.childNodes.length > 1))
  .map((one) => [one.textContent || one.id, one.getBoundingClientRect()])
  .filter(([, {width, height}]) => width < 24 || height < 24)
  .map(([name, {width, height}]) => `${name}: ${width} x ${height}`)"""
"""Targets, but for links within a sentence (WCAG 2.2, 2.5.8)."""


async def ensure_accessible(page: Page) -> None:
    results = await Axe().run(page, options=RULES)
    assert results.violations_count == 0, f"{page.url}\n{results.generate_report()}"
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{page.url} scrolls sideways"
    assert await page.evaluate(SMALL) == []
    await page.evaluate(SPACED)
    assert await page.evaluate(CUT_OFF) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{page.url} scrolls sideways"


@pytest.fixture
async def people(app: RunningApp) -> None:
    await app.add_users([("chief", Role.SUPER_ADMIN, True), ("ursula", Role.USER, True), ("sleeper", Role.USER, False)])
    await app.log_in("ursula", PASSWORD)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [NARROW, WIDE], ids=["narrow", "wide"])
async def test_every_page(open_page: OpenPage, url: str, theme: str, viewport: dict[str, int]) -> None:
    page = await open_page(expects=ERRORS, color_scheme=theme, viewport=viewport)
    for path in STRANGERS:
        await page.goto(f"{url}/console/{path}")
        await ensure_accessible(page)
    await log_in(page, url, "chief")
    for path in PATHS:
        await page.goto(f"{url}/console/{path}")
        await ensure_accessible(page)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", [refuse_login, open_dialog, refuse_new_user, act_on_several, show_keys])
async def test_every_state(
    open_page: OpenPage, url: str, theme: str, state: Callable[[Page, str], Awaitable[None]]
) -> None:
    page = await open_page(expects=ERRORS, color_scheme=theme, viewport=NARROW)
    await page.goto(f"{url}/console/log-in")
    await state(page, url)
    await ensure_accessible(page)
