from typing import Any
from uuid import UUID

import pytest
import structlog
from dishka import Provider, Scope

from gatehouse.accounts.application.queries.get_me import GetMe
from gatehouse.accounts.domain.role import Role
from gatehouse.common.settings import Settings
from tests.conftest import LOGIN, RunningApp
from tests.fakes import PASSWORD
from tests.http.running_app import cookie, run_app, token_of, without_database
from tests.http.test_problems import BrokenGetMe

ME = "/api/v1/account/me"
SIGN_UP = "/api/v1/account/signup"
USERS = "/api/v1/users/"
ID = "Client.chosen_1-2"


@pytest.mark.parametrize("request_id", ["a", "x" * 64, ID, "0", "...", "-_."])
async def test_a_well_formed_id_is_kept(app: RunningApp, request_id: str) -> None:
    answer = await (await app.client()).get(ME, headers={"x-request-id": request_id})

    assert answer.headers["x-request-id"] == request_id
    assert answer.json()["request_id"] == request_id


@pytest.mark.parametrize(
    "request_id",
    [
        b"",
        b"x" * 65,
        b"a b",
        b"a/b",
        b"a,b",
        b"<script>",
        b"a\tb",
        "ä".encode(),
        "ä".encode("latin-1"),
        b"a\n",
        b"\xff",
    ],
)
async def test_any_other_id_is_replaced(app: RunningApp, request_id: bytes) -> None:
    answer = await (await app.client()).get(ME, headers=[(b"x-request-id", request_id)])

    assert UUID(answer.headers["x-request-id"]).version == 7
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_every_request_without_one_gets_its_own(app: RunningApp) -> None:
    client = await app.client()

    assert len({(await client.get("/livez")).headers["x-request-id"] for _ in range(10)}) == 10


JSON = {"content-type": "application/json"}
ANSWERS: list[tuple[int, dict[str, Any]]] = [
    (200, {"method": "GET", "url": ME}),
    (200, {"method": "GET", "url": "/docs"}),
    (200, {"method": "GET", "url": "/openapi.json"}),
    (200, {"method": "GET", "url": "/docs/assets/swagger-ui.css"}),
    (201, {"method": "POST", "url": USERS, "json": {"username": "alice", "password": PASSWORD}}),
    (204, {"method": "DELETE", "url": "/api/v1/account/logout"}),
    (307, {"method": "GET", "url": "/"}),
    (401, {"method": "GET", "url": ME, "headers": cookie("forged")}),
    (403, {"method": "POST", "url": USERS, "headers": {"sec-fetch-site": "cross-site"}}),
    (403, {"method": "PATCH", "url": "/api/v1/users/grant", "json": {"username": "alice"}}),
    (404, {"method": "GET", "url": "/nothing"}),
    (404, {"method": "GET", "url": f"{USERS}nobody"}),
    (404, {"method": "GET", "url": "/docs/assets/nothing"}),
    (405, {"method": "PUT", "url": ME}),
    (409, {"method": "POST", "url": LOGIN, "json": {"username": "alice", "password": PASSWORD}}),
    (413, {"method": "POST", "url": LOGIN, "headers": JSON, "content": " " * 20_000}),
    (415, {"method": "POST", "url": LOGIN, "headers": {"content-type": "text/plain"}, "content": "{}"}),
    (422, {"method": "POST", "url": USERS, "json": {}}),
]


@pytest.mark.parametrize(("status", "call"), ANSWERS)
async def test_every_status_carries_it(app: RunningApp, status: int, call: dict[str, Any]) -> None:
    client = await app.logged_in("admin", Role.ADMIN)
    client.headers["x-request-id"] = ID

    answer = await client.request(**call)

    assert (answer.status_code, answer.headers["x-request-id"]) == (status, ID)
    if status >= 400:
        assert answer.json()["request_id"] == ID


async def test_an_internal_error_carries_it(app: RunningApp, settings: Settings) -> None:
    client = await app.logged_in("alice")
    parts = Provider(scope=Scope.REQUEST)
    parts.provide(BrokenGetMe, provides=GetMe)

    async with run_app(settings, parts) as broken_app:
        broken_client = await broken_app.client(**{"x-request-id": ID})
        with structlog.testing.capture_logs():
            answer = await broken_client.get(ME, headers=cookie(token_of(client)))

    assert (answer.status_code, answer.headers["x-request-id"], answer.json()["request_id"]) == (500, ID, ID)


async def test_an_unavailable_service_carries_it(settings: Settings) -> None:
    async with run_app(without_database(settings)) as app:
        answer = await (await app.client()).get("/readyz", headers={"x-request-id": ID})

    assert (answer.status_code, answer.headers["x-request-id"], answer.json()["request_id"]) == (503, ID, ID)
