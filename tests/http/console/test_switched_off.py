"""Where the settings switch the console off, there is none."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest

from gatehouse.common.presentation.http.settings import FeatureSettings
from gatehouse.common.settings import Settings
from gatehouse.console.presentation.assets import asset_url
from gatehouse.setup.app import create_app
from gatehouse.testing.answers import SECURITY_HEADERS, assert_problem
from gatehouse.testing.running_app import ORIGIN, RunningApp
from tests.http.console.calls import CALLS
from tests.http.console.pages import CONSOLE


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Of an application with the modules that the settings name."""
    app = create_app(settings.replace(FeatureSettings(console=False, docs=False)))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN)
        yield await stack.enter_async_context(client)


async def test_every_path_of_it_is_not_found_as_on_the_api(client: httpx.AsyncClient) -> None:
    paths = {(call.method, call.url("alice")) for call in CALLS} | {("GET", CONSOLE), ("GET", asset_url("console.js"))}

    for method, path in sorted(paths):
        answer = await client.request(method, path)
        assert_problem(answer, "not-found")
        assert answer.headers["content-security-policy"] == SECURITY_HEADERS["content-security-policy"]


@pytest.mark.promise("C2")
async def test_then_a_form_is_an_unsupported_type_there_as_well(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{CONSOLE}log-in", data={"username": "alice"})

    assert_problem(answer, "unsupported-media-type")


@pytest.mark.promise("C6")
async def test_then_the_root_leads_to_the_api(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")

    assert (answer.status_code, answer.headers["location"]) == (307, "/api/v1/")


@pytest.mark.promise("C6")
@pytest.mark.parametrize(("docs", "place"), [(False, CONSOLE), (True, "/docs")])
async def test_else_the_root_leads_people_to_it_where_there_are_no_docs(
    settings: Settings, *, docs: bool, place: str
) -> None:
    app = create_app(settings.replace(FeatureSettings(docs=docs)))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client,
    ):
        assert (await client.get("/")).headers["location"] == place


async def test_no_document_mentions_it(app: RunningApp) -> None:
    assert not [path for path in app.fastapi_app.openapi()["paths"] if path.startswith(CONSOLE)]
