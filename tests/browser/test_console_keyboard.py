"""By keyboard alone."""

from playwright.async_api import Page, expect

from gatehouse.accounts import Role
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import RunningApp
from tests.browser.people import heading, log_in


async def tab_to(page: Page, name: str) -> None:
    """Presses Tab until the element with that name has the focus, which shows."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        focused = page.locator(":focus-visible")
        if await focused.count() and name in (await focused.inner_text(), await focused.get_attribute("aria-label")):
            return
    raise AssertionError(f"{name} is not reached")


async def test_the_whole_way_to_an_inactivation(app: RunningApp, page: Page, url: str) -> None:
    await app.add_users([("chief", Role.SUPER_ADMIN, True), ("ursula", Role.USER, True), ("usually", Role.USER, True)])
    await page.goto(f"{url}/console/")
    for _ in range(10):
        await page.keyboard.press("Tab")
        if await page.locator("#username:focus").count():
            break
    await page.keyboard.type("chief")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await heading(page, "Users")

    await page.keyboard.press("/")
    await expect(page.get_by_label("Username begins with")).to_be_focused()
    await page.keyboard.type("urs")
    await expect(page.get_by_role("rowheader")).to_have_count(1)
    await tab_to(page, "ursula")
    await page.keyboard.press("Enter")
    await heading(page, "ursula")
    await expect(page.get_by_role("heading", level=1)).to_be_focused()

    await tab_to(page, "Inactivate")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("link", name="Inactivate")).to_be_focused()
    await page.keyboard.press("Enter")
    await tab_to(page, "Inactivate")
    await page.keyboard.press("Enter")
    await expect(page.locator(".notice")).to_contain_text("ursula is inactive now")


async def test_the_skip_link_and_the_list_of_keys(app: RunningApp, page: Page, url: str) -> None:
    await app.add_user("chief", Role.SUPER_ADMIN)
    await log_in(page, url, "chief", then="account")

    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.goto(f"{url}/console/account")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()


async def test_a_password_is_shown_and_hidden_again(page: Page, url: str) -> None:
    await page.goto(f"{url}/console/log-in")
    password = page.get_by_label("Password", exact=True)
    await password.fill("what I typed")

    await page.get_by_role("button", name="Show the password").click()
    await expect(password).to_have_attribute("type", "text")
    await page.get_by_role("button", name="Hide the password").click()
    await expect(password).to_have_attribute("type", "password")
