"""The documentation page, as a reader uses it."""

from playwright.async_api import Page, expect


async def test_the_documentation_page_shows_the_calls_and_makes_one(page: Page, url: str) -> None:
    loaded: set[str] = set()
    page.on("request", lambda request: loaded.add(request.url))
    await page.goto(f"{url}/docs")

    probe = page.locator(".opblock", has_text="/livez")
    await probe.click()
    await probe.get_by_role("button", name="Try it out").click()
    await probe.get_by_role("button", name="Execute").click()
    await expect(probe.locator(".live-responses-table .response-col_status").last).to_contain_text("200")

    await expect(page.locator(".opblock-summary-path", has_text="/api/v1/account/login")).to_be_visible()
    assert {address for address in loaded if not address.startswith((url, "data:"))} == set()
