"""Link and X-Total-Count: what the headers of a page of a list say."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx
import pytest
from dishka import Provider, Scope, make_async_container
from dishka.integrations.fastapi import FastapiProvider, FromDishka
from fastapi import APIRouter, FastAPI

from gatehouse.accounts.domain.role import Role
from gatehouse.common.presentation.http import problems
from gatehouse.common.presentation.http.access import EVERYONE
from gatehouse.common.presentation.http.middleware.container import ContainerMiddleware
from gatehouse.common.presentation.http.middleware.request import RequestMiddleware
from gatehouse.common.presentation.http.route import UseCaseRoute
from gatehouse.testing.running_app import ORIGIN, RunningApp

USERS = "/api/v1/users/"
AUDIT = "/api/v1/audit/"
BADGES = "/api/v1/badges/"
NAMES = ["alice", "bobby", "carol", "david", "erika"]


@dataclass(frozen=True)
class Things:
    things: list[int]
    next_cursor: str | None


router = APIRouter(route_class=UseCaseRoute)


@router.get("/places/{place}/things", dependencies=[EVERYONE])
async def list_things(place: str, things: FromDishka[Things]) -> Things:
    assert place
    return things


@pytest.fixture
async def places() -> AsyncIterator[httpx.AsyncClient]:
    """A list of a module that knows nothing of headers."""
    things = Provider(scope=Scope.REQUEST)
    things.provide(lambda: Things([1], "a-cursor"), provides=Things)
    app = FastAPI()
    app.router.routes.extend(router.routes)
    problems.install(app)
    app.add_middleware(ContainerMiddleware, container=make_async_container(FastapiProvider(), things))
    app.add_middleware(RequestMiddleware, hsts=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        yield client


async def populate(app: RunningApp) -> httpx.AsyncClient:
    for name in NAMES:
        await app.add_user(name)
    return await app.logged_in("admin", Role.ADMIN)


def next_of(answer: httpx.Response) -> str | None:
    return answer.links["next"]["url"] if "next" in answer.links else None


async def walk(client: httpx.AsyncClient, url: str, rows: str) -> list[list[str]]:
    """Follows the links alone."""
    pages: list[list[str]] = []
    following: str | None = url
    while following is not None:
        answer = await client.get(following)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        pages.append([row.get("name") or row.get("username") or row["id"] for row in body[rows]])
        following = next_of(answer)
        assert (following is None) is (body["next_cursor"] is None)
    return pages


async def test_the_links_lead_through_all_users(app: RunningApp) -> None:
    admin = await populate(app)

    assert await walk(admin, f"{USERS}?limit=4", "users") == [["admin", "alice", "bobby", "carol"], ["david", "erika"]]


async def test_a_link_keeps_the_query_and_continues_instead_of_skipping(app: RunningApp) -> None:
    admin = await populate(app)
    query = {"limit": "2", "role": "user", "sorting_order": "desc", "offset": "1", "with_total": "true"}

    first = await admin.get(USERS, params=query)

    link = urlsplit(next_of(first) or "")
    assert (link.scheme, link.netloc, link.path) == ("", "", USERS)
    del query["offset"]
    following = {name: [value] for name, value in query.items()}
    assert parse_qs(link.query) == {**following, "cursor": [first.json()["next_cursor"]]}
    names = [user["username"] for user in (await admin.get(link.geturl())).json()["users"]]
    assert names == ["bobby", "alice"]


async def test_the_total_is_a_header_where_it_was_asked_for(app: RunningApp) -> None:
    admin = await populate(app)

    answer = await admin.get(USERS, params={"limit": 2, "role": "user", "with_total": True})

    assert answer.headers["x-total-count"] == str(len(NAMES)) == str(answer.json()["total"])
    assert "x-total-count" not in (await admin.get(USERS)).headers


async def test_the_links_lead_through_the_audit_trail(app: RunningApp, chief: httpx.AsyncClient) -> None:
    for name in NAMES:
        app.clock.advance(timedelta(seconds=1))
        await chief.post(USERS, json={"username": name, "password": "seven lanterns over a quiet harbour"})

    pages = await walk(chief, f"{AUDIT}?limit=2&action=create_user", "events")

    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({event for page in pages for event in page}) == len(NAMES)


async def test_the_links_lead_through_the_lists_of_other_modules(app: RunningApp) -> None:
    admin = await populate(app)
    for badge in ("bronze", "gold", "silver"):
        await admin.post(BADGES, json={"username": "alice", "name": badge})

    assert await walk(admin, f"{BADGES}?limit=2", "badges") == [["bronze", "gold"], ["silver"]]
    assert (await admin.get(BADGES, params={"with_total": True})).headers["x-total-count"] == "3"


@pytest.mark.promise("C6")
async def test_no_link_is_built_from_the_host(app: RunningApp) -> None:
    admin = await populate(app)

    answer = await admin.get(USERS, params={"limit": 1}, headers={"host": "localhost", "x-forwarded-host": "evil.test"})

    assert (next_of(answer) or "").startswith(f"{USERS}?limit=1&cursor=")


@pytest.mark.parametrize("place", ["home", "a>b", 'a"; rel="evil', "caf\xe9", "a\r\nX-Evil: 1", "a?b#c"])
async def test_what_a_client_sends_stays_within_the_link(places: httpx.AsyncClient, place: str) -> None:
    answer = await places.get(f"/places/{quote(place, safe='')}/things?{urlencode({'filter': place})}")

    link = answer.headers["link"]
    assert set(answer.headers) & {"x-evil"} == set()
    assert link.startswith("</places/")
    assert link.endswith('&cursor=a-cursor>; rel="next"')
    assert link.count("<") == link.count(">") == 1
    assert (await places.get(next_of(answer) or "")).headers["link"] == link


async def test_the_headers_are_documented_where_they_occur(app: RunningApp) -> None:
    paths = app.fastapi_app.openapi()["paths"]
    documented = {
        path: {"Link", "X-Total-Count"} & methods["get"]["responses"].get("200", {}).get("headers", {}).keys()
        for path, methods in paths.items()
        if "get" in methods
    }

    assert documented[USERS] == documented[BADGES] == {"Link", "X-Total-Count"}
    assert documented[AUDIT] == {"Link"}
    assert {path for path, headers in documented.items() if headers} == {USERS, BADGES, AUDIT}
