"""Security headers, which restrict what a browser does with an answer."""

import re
from typing import Any

import httpx
import pytest
from dishka import Provider, Scope

from gatehouse.accounts.application.queries.get_me import GetMe
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.settings import ThrottleSettings
from gatehouse.common.settings import AppSettings, Environment, Settings
from gatehouse.testing.answers import SECURITY_HEADERS
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import LOGIN, ORIGIN, RunningApp, cookie, token_of, try_log_in, without_database
from tests.http.test_problems import BrokenGetMe
from tests.http.test_request_id import ANSWERS

pytestmark = pytest.mark.promise("C5")

ME = "/api/v1/account/me"
HSTS = "strict-transport-security"
MORE: list[tuple[int, dict[str, Any]]] = [
    (200, {"method": "GET", "url": "/livez"}),
    (200, {"method": "GET", "url": "/readyz"}),
    (400, {"method": "GET", "url": "/livez/", "headers": {"host": "evil.test"}}),
    (405, {"method": "HEAD", "url": ME}),
]


def policy_of(answer: httpx.Response) -> str:
    """Returns the content security policy, and checks that each other header is there once, with its one value."""
    headers = {name: answer.headers.get_list(name) for name in SECURITY_HEADERS}
    [policy] = headers.pop("content-security-policy")
    assert headers == {name: [value] for name, value in SECURITY_HEADERS.items() if name in headers}
    return str(policy)


def assert_secure(answer: httpx.Response, *, hsts: bool = False) -> None:
    assert policy_of(answer) == SECURITY_HEADERS["content-security-policy"]
    assert (HSTS in answer.headers) is hsts


@pytest.mark.parametrize(
    ("status", "call"), [(status, call) for status, call in [*ANSWERS, *MORE] if call["url"] != "/docs"]
)
async def test_every_status_has_them(app: RunningApp, status: int, call: dict[str, Any]) -> None:
    client = await app.logged_in("admin", Role.ADMIN)

    answer = await client.request(**call)

    assert answer.status_code == status
    assert_secure(answer)


@pytest.mark.usefixtures("app")
async def test_a_throttled_answer_has_them(settings: Settings) -> None:
    async with run_app(settings.replace(ThrottleSettings(attempts_per_account=1))) as strict:
        client = await strict.client()
        await try_log_in(client)

        answer = await try_log_in(client)

    assert answer.status_code == 429
    assert_secure(answer)


async def test_an_internal_error_has_them(app: RunningApp, settings: Settings) -> None:
    token = token_of(await app.logged_in("alice"))
    parts = Provider(scope=Scope.REQUEST)
    parts.provide(BrokenGetMe, provides=GetMe)
    async with run_app(settings, parts) as broken_app:
        answer = await (await broken_app.client()).get(ME, headers=cookie(token))

    assert answer.status_code == 500
    assert_secure(answer)


@pytest.mark.slow
async def test_an_unavailable_service_has_them(settings: Settings) -> None:
    async with run_app(without_database(settings)) as away:
        answer = await (await away.client()).get("/readyz")

    assert answer.status_code == 503
    assert_secure(answer)


@pytest.mark.parametrize(
    ("environment", "hsts"),
    [(Environment.PRODUCTION, True), (Environment.DEVELOPMENT, False), (Environment.TEST, False)],
)
async def test_production_alone_insists_on_tls(
    app: RunningApp, settings: Settings, environment: Environment, *, hsts: bool
) -> None:
    await app.add_user("alice")
    async with run_app(settings.replace(AppSettings(environment=environment, origin=ORIGIN))) as configured_app:
        client = await configured_app.client()
        answers = [
            await client.get("/livez"),
            await client.get(ME),
            await client.get("/nothing"),
            await client.get(ME, headers={"host": "evil.test"}),
            await client.post(LOGIN, json={"username": "alice", "password": PASSWORD}),
        ]

    assert [answer.status_code for answer in answers] == [200, 401, 404, 400, 204]
    for answer in answers:
        assert_secure(answer, hsts=hsts)
        if hsts:
            [age] = re.findall(r"max-age=(\d+)", answer.headers[HSTS])
            assert int(age) >= 365 * 24 * 3600


async def test_the_docs_page_runs_scripts_from_here_alone_and_stands_in_no_frame(app: RunningApp) -> None:
    answer = await (await app.client()).get("/docs")

    policy = dict(part.strip().split(" ", 1) for part in policy_of(answer).split(";"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "frame-ancestors": "'none'",
    }
    assert re.findall(r"<script(?![^>]*\ssrc=)|\son\w+=|<style", answer.text) == []
