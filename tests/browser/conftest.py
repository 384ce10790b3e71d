"""The application on a port of this machine, and a page in Debian's Chromium."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import closing

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Page, async_playwright

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture
async def url(fastapi_app: FastAPI) -> AsyncIterator[str]:
    """Where it is reached; the application itself is running already."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        server = uvicorn.Server(uvicorn.Config(fastapi_app, lifespan="off", log_config=None))
        serving = asyncio.create_task(server.serve([listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await serving


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """It complains of nothing: no error in the console, nothing refused by a content security policy."""
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        yield page
        await browser.close()
    assert complaints == []
