"""The application on a port of this machine, and pages in Chromium."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from typing import Protocol

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from gatehouse.common.settings import LogFormat, LogSettings
from gatehouse.setup.logs import configure_logs
from tests.browser.find_browser import CHROMIUM

_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")
_NO_NETWORK = re.compile("ERR_INTERNET_DISCONNECTED|Failed to fetch")
_GIVEN_UP = "net::ERR_ABORTED"
"""The browser itself, when a newer request takes the place of one."""


class OpenPage(Protocol):
    async def __call__(
        self, *, expects: tuple[int, ...] = (), expects_no_network: bool = False, **options: object
    ) -> Page:
        """In a browser of its own, without cookies. `expects` are statuses of errors that the test provokes, and
        `expects_no_network` that it cuts the network off; the options are those of Playwright's `new_context`.
        """


@pytest.fixture
async def url(fastapi_app: FastAPI) -> AsyncIterator[str]:
    """Where it is reached; the application itself is running already."""
    configure_logs(LogSettings(format=LogFormat.JSON))
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        server = uvicorn.Server(uvicorn.Config(fastapi_app, lifespan="off", log_config=None))
        serving = asyncio.create_task(server.serve([listening]))
        yield f"http://localhost:{listening.getsockname()[1]}"
        server.should_exit = True
        await serving


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def open_page(browser: Browser) -> AsyncIterator[OpenPage]:
    """Pages complain of nothing: no error in the console, nothing that the policy refused, no dialog that hostile text
    has opened.
    """
    complaints: list[str] = []

    async def open_page(*, expects: tuple[int, ...] = (), expects_no_network: bool = False, **options: object) -> Page:
        context: BrowserContext = await contexts.enter_async_context(await browser.new_context(**options))
        page = await context.new_page()
        page.set_default_timeout(15_000)

        def note(text: str) -> None:
            refused = _REFUSED.match(text)
            if expects_no_network and _NO_NETWORK.search(text):
                return
            if not refused or int(refused[1]) not in expects:
                complaints.append(text)

        page.on("console", lambda message: note(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "requestfailed",
            lambda request: None if request.failure == _GIVEN_UP else note(f"{request.failure}: {request.url}"),
        )
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        return page

    async with AsyncExitStack() as contexts:
        yield open_page
    assert complaints == []


@pytest.fixture
async def page(open_page: OpenPage) -> Page:
    return await open_page()
