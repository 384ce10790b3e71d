"""The id that tells a request apart: in the answer, in every line of the log, in the audit trail."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
import structlog
from dishka import Provider, Scope

from gatehouse.accounts.application.queries.get_me import GetMe
from gatehouse.accounts.domain.role import Role
from gatehouse.common.settings import Settings, UvicornSettings
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import LOGIN, RunningApp, client_from, cookie, token_of, without_database
from tests.http.test_problems import BrokenGetMe

ME = "/api/v1/account/me"
SIGN_UP = "/api/v1/account/signup"
USERS = "/api/v1/users/"
ID = "Client.chosen_1-2"
PROXY, STRANGER = "192.0.2.10", "203.0.113.5"
WELL_FORMED = ["a", "x" * 64, ID, "0", "...", "-_."]


def assert_own_id(answer: httpx.Response) -> None:
    [request_id] = answer.headers.get_list("x-request-id")
    assert UUID(request_id).version == 7
    if answer.status_code >= 400:
        assert answer.json()["request_id"] == request_id


@pytest.fixture(scope="module")
async def proxied_app(settings: Settings) -> AsyncIterator[RunningApp]:
    async with run_app(settings.replace(UvicornSettings(trusted_proxies=[PROXY]))) as proxied_app:
        yield proxied_app


@pytest.mark.promise("G5")
@pytest.mark.parametrize("request_id", WELL_FORMED)
async def test_a_trusted_proxys_id_is_taken_over(proxied_app: RunningApp, request_id: str) -> None:
    client = await client_from(proxied_app, PROXY, **{"x-request-id": request_id, "x-forwarded-for": STRANGER})

    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logs:
        answer = await client.get(ME)

    assert answer.headers["x-request-id"] == request_id
    assert answer.json()["request_id"] == request_id
    assert [(line["request_id"], line["ip"], "client_request_id" in line) for line in logs] == [
        (request_id, STRANGER, False)
    ]


@pytest.mark.promise("G5")
@pytest.mark.parametrize("forwarded_for", [STRANGER, PROXY, f"{STRANGER}, {PROXY}"])
async def test_a_strangers_id_is_only_logged(proxied_app: RunningApp, forwarded_for: str) -> None:
    client = await client_from(proxied_app, STRANGER, **{"x-request-id": ID, "x-forwarded-for": forwarded_for})

    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logs:
        answer = await client.get(ME)

    assert_own_id(answer)
    assert [(line["request_id"], line["client_request_id"]) for line in logs] == [(answer.headers["x-request-id"], ID)]


@pytest.mark.promise("G5")
@pytest.mark.parametrize("request_id", WELL_FORMED)
async def test_without_proxies_nobodys_id_is_taken_over(app: RunningApp, request_id: str) -> None:
    assert_own_id(await (await app.client()).get(ME, headers={"x-request-id": request_id}))


@pytest.mark.promise("G5")
@pytest.mark.parametrize("peer", [PROXY, STRANGER])
@pytest.mark.parametrize(
    "request_ids",
    [
        [b""],
        [b"x" * 65],
        [b"a b"],
        [b"a/b"],
        [b"a,b"],
        [b"<script>"],
        [b"a\tb"],
        ["ä".encode()],
        ["ä".encode("latin-1")],
        [b"a\n"],
        [b"\xff"],
        [b"one", b"two"],
    ],
)
async def test_an_id_that_is_not_well_formed_is_neither_taken_over_nor_logged(
    proxied_app: RunningApp, peer: str, request_ids: list[bytes]
) -> None:
    client = await client_from(proxied_app, peer)

    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logs:
        answer = await client.get(ME, headers=[(b"x-request-id", request_id) for request_id in request_ids])

    assert_own_id(answer)
    assert ["client_request_id" in line for line in logs] == [False]


async def test_every_request_gets_its_own(app: RunningApp) -> None:
    client = await app.client()

    assert len({(await client.get("/livez")).headers["x-request-id"] for _ in range(10)}) == 10


async def test_a_line_of_the_log_says_nothing_of_the_request_before(app: RunningApp) -> None:
    """Requests on one connection may share the context that the lines' values are kept in."""
    alice = await app.logged_in("alice")
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logs:
        await alice.get(USERS, headers={"x-request-id": ID})
        await (await app.client()).get(ME)

    refusals = [line for line in logs if line["event"] == "refused"]
    assert [(line["problem"], line.get("caller"), line.get("client_request_id")) for line in refusals] == [
        ("forbidden", "alice", ID),
        ("unauthenticated", None, None),
    ]


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

    answer = await client.request(**call)

    assert answer.status_code == status
    assert_own_id(answer)


async def test_an_internal_error_carries_it(app: RunningApp, settings: Settings) -> None:
    client = await app.logged_in("alice")
    parts = Provider(scope=Scope.REQUEST)
    parts.provide(BrokenGetMe, provides=GetMe)

    async with run_app(settings, parts) as broken_app:
        broken_client = await broken_app.client()
        with structlog.testing.capture_logs():
            answer = await broken_client.get(ME, headers=cookie(token_of(client)))

    assert answer.status_code == 500
    assert_own_id(answer)


@pytest.mark.slow
async def test_an_unavailable_service_carries_it(settings: Settings) -> None:
    async with run_app(without_database(settings)) as app:
        answer = await (await app.client()).get("/readyz")

    assert answer.status_code == 503
    assert_own_id(answer)
