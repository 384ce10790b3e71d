"""Pages of other origins: the configured ones may call the API and read its answers, no others."""

from collections.abc import AsyncIterator

import httpx
import pytest
from dishka import Provider, Scope

from gatehouse.accounts.domain.role import Role
from gatehouse.common.application.ports import Readiness
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.settings import HttpSettings, Settings
from gatehouse.testing.answers import assert_problem
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import LOGIN, ORIGIN, RunningApp
from tests.http.test_csrf import ORIGINS, SITES, UNSAFE, headers_of, is_refused

pytestmark = pytest.mark.slow  # each path from each origin

APP = "https://app.gatehouse.test"
ELSEWHERE = "https://elsewhere.test:8443"
ME = "/api/v1/account/me"
USERS = "/api/v1/users/"
EXPOSED = "ETag, Link, X-Total-Count, X-Request-ID, Retry-After"
STRANGERS = [
    "https://evil.test",
    "null",
    "http://app.gatehouse.test",
    "https://APP.gatehouse.test",
    "https://app.gatehouse.test:443",
    "https://app.gatehouse.test.evil.test",
    "https://elsewhere.test",
    f"{APP}, {ELSEWHERE}",
    "",
]


class BrokenReadiness:
    async def ensure_ready(self) -> None:
        raise RuntimeError("unforeseen")


@pytest.fixture(scope="module")
def cors(settings: Settings) -> Settings:
    return settings.replace(HttpSettings(cors_origins=[APP, ELSEWHERE]))


@pytest.fixture(scope="module")
async def shared_app(cors: Settings) -> AsyncIterator[RunningApp]:
    async with run_app(cors) as running:
        yield running


@pytest.fixture
def open_app(shared_app: RunningApp, database: Database) -> RunningApp:
    """On an empty database."""
    assert isinstance(database, Database)
    return shared_app


def cors_headers(answer: httpx.Response) -> dict[str, str]:
    prefix = "access-control-"
    return {name[len(prefix) :]: value for name, value in answer.headers.items() if name.startswith(prefix)}


@pytest.mark.promise("C4")
@pytest.mark.parametrize("origin", [APP, ELSEWHERE])
@pytest.mark.parametrize("path", [ME, USERS, "/livez", "/nothing"])
async def test_a_configured_origin_reads_every_answer(open_app: RunningApp, origin: str, path: str) -> None:
    answer = await (await open_app.client(origin=origin)).get(path)

    assert cors_headers(answer) == {
        "allow-origin": origin,
        "allow-credentials": "true",
        "expose-headers": EXPOSED,
    }
    assert "Origin" in answer.headers.get_list("vary")


@pytest.mark.promise("C4")
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
@pytest.mark.parametrize("origin", [*STRANGERS, None])
async def test_to_all_others_nothing_is_said(open_app: RunningApp, origin: str | None, method: str) -> None:
    headers = {"access-control-request-method": "POST", **headers_of(None, origin)}

    answer = await (await open_app.client()).request(method, LOGIN, headers=headers)

    assert cors_headers(answer) == {}
    assert "Origin" in answer.headers.get_list("vary")


@pytest.mark.promise("C4")
async def test_two_origins_in_one_request_are_none(open_app: RunningApp) -> None:
    answer = await (await open_app.client()).get("/livez", headers=[("origin", APP), ("origin", ELSEWHERE)])

    assert answer.status_code == 200
    assert cors_headers(answer) == {}


@pytest.mark.promise("C1", "C4")
@pytest.mark.parametrize("origin", [*ORIGINS, *STRANGERS, APP, ELSEWHERE])
@pytest.mark.parametrize("site", SITES)
async def test_a_configured_origin_alone_passes_the_cross_site_rule(
    open_app: RunningApp, site: str | None, origin: str | None
) -> None:
    client = await open_app.client()
    passes = origin in (APP, ELSEWHERE) and site in (None, "same-site", "cross-site")

    for method, path in UNSAFE:
        answer = await client.request(method, path, headers=headers_of(site, origin))
        assert (answer.status_code == 403) is (is_refused(site, origin) and not passes), (method, path)


@pytest.mark.promise("C4")
async def test_a_page_of_a_configured_origin_logs_in_and_acts_with_the_cookie(open_app: RunningApp) -> None:
    await open_app.add_user("admin", Role.ADMIN)
    await open_app.add_user("alice")
    client = await open_app.client(**{"origin": APP, "sec-fetch-site": "same-site"})

    answer = await client.post(LOGIN, json={"username": "admin", "password": PASSWORD})
    assert (answer.status_code, cors_headers(answer)["allow-credentials"]) == (204, "true")
    assert "samesite=lax" in answer.headers["set-cookie"].lower()
    assert (await client.patch(f"{USERS}inactivate", json={"username": "alice"})).status_code == 204

    answer = await client.patch(
        f"{USERS}inactivate", json={"username": "alice"}, headers={"origin": "https://evil.test"}
    )
    assert_problem(answer, "cross-site-request")
    assert cors_headers(answer) == {}


@pytest.mark.promise("C4")
@pytest.mark.parametrize(
    ("path", "methods"),
    [
        (LOGIN, "POST"),
        (USERS, "GET, POST"),
        (f"{USERS}inactivate", "DELETE, GET, PATCH"),  # of the act, and of a user of that name
        (f"{USERS}alice", "DELETE, GET"),
    ],
)
async def test_a_preflight_is_told_the_methods_of_the_path(open_app: RunningApp, path: str, methods: str) -> None:
    headers = {"access-control-request-method": "PATCH", "access-control-request-headers": "content-type,if-match"}

    answer = await (await open_app.client(origin=APP)).options(path, headers=headers)

    assert (answer.status_code, answer.content) == (204, b"")
    assert cors_headers(answer) == {
        "allow-origin": APP,
        "allow-credentials": "true",
        "allow-methods": methods,
        "allow-headers": "content-type,if-match",
        "max-age": "600",
    }
    assert answer.headers["vary"] == "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
    assert answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_preflight_for_nothing_is_refused(open_app: RunningApp) -> None:
    headers = {"access-control-request-method": "GET"}

    assert_problem(await (await open_app.client(origin=APP)).options("/nothing", headers=headers), "not-found")


@pytest.mark.promise("C6")
async def test_a_foreign_host_is_refused_before_anything_is_granted(open_app: RunningApp) -> None:
    answer = await (await open_app.client(origin=APP)).get("/api/v1/", headers={"host": "evil.test"})

    assert_problem(answer, "invalid-host")
    assert cors_headers(answer) == {}


async def test_an_unforeseen_error_can_be_read_too(cors: Settings) -> None:
    broken = Provider(scope=Scope.APP)
    broken.provide(BrokenReadiness, provides=Readiness)
    async with run_app(cors, broken) as app:
        answer = await (await app.client(origin=APP)).get("/readyz")

    assert_problem(answer, "internal-error")
    assert cors_headers(answer)["allow-origin"] == APP


async def test_the_service_s_own_pages_need_no_permission(open_app: RunningApp) -> None:
    answer = await (await open_app.client(**{"origin": ORIGIN, "sec-fetch-site": "same-origin"})).post(LOGIN, json={})

    assert answer.status_code == 422
    assert cors_headers(answer) == {}
