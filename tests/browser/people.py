"""What people do in the console, in the words of the pages."""

from playwright.async_api import Page, expect

from gatehouse.testing.fakes import PASSWORD

OWN_PASSWORD = "nine lanterns over a quiet harbour"


async def log_in(page: Page, url: str, username: str, password: str = PASSWORD, *, then: str = "") -> None:
    await page.goto(f"{url}/console/{then}")
    await fill_in_login(page, username, password)
    await expect(page.get_by_role("button", name="Log out")).to_be_visible()


async def fill_in_login(page: Page, username: str, password: str = PASSWORD) -> None:
    await page.get_by_label("Username", exact=True).fill(username)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_role("button", name="Log in").click()


async def heading(page: Page, text: str) -> None:
    await expect(page.get_by_role("heading", level=1, name=text, exact=True)).to_be_visible()
