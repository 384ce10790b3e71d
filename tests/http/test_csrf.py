"""CSRF: requests that change state and come from another site's page in a user's browser."""

import pytest
from starlette.applications import Starlette

from gatehouse.common.presentation.http.middleware.csrf import CsrfMiddleware
from gatehouse.common.settings import AppSettings, Environment, Settings
from gatehouse.testing.answers import assert_problem
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import COOKIE, LOGIN, ORIGIN, RunningApp

ME = "/api/v1/account/me"
SIGN_UP = "/api/v1/account/signup"
SITES = [None, "same-origin", "none", "same-site", "cross-site", "", "SAME-ORIGIN", "same-origin, cross-site"]
ORIGINS = [
    None,
    ORIGIN,
    "https://evil.test",
    "null",
    "",
    "http://gatehouse.test",
    "https://gatehouse.test:8443",
    "https://gatehouse.test.evil.test",
    "https://sub.gatehouse.test",
    "https://gatehouse.test:port",
    "https://[gatehouse.test",
]
UNSAFE = [
    ("POST", LOGIN),
    ("POST", SIGN_UP),
    ("POST", "/api/v1/users/"),
    ("PATCH", "/api/v1/users/inactivate"),
    ("PATCH", "/api/v1/users/change_password"),
    ("DELETE", "/api/v1/account/logout"),
    ("PUT", "/api/v1/users/"),
    ("POST", "/nothing"),
]
SAFE = [("GET", ME), ("GET", "/livez"), ("HEAD", ME), ("OPTIONS", LOGIN)]


def headers_of(site: str | None, origin: str | None) -> dict[str, str]:
    headers = {"sec-fetch-site": site, "origin": origin}
    return {name: value for name, value in headers.items() if value is not None}


def is_refused(site: str | None, origin: str | None) -> bool:
    """The contract's rule."""
    if site is not None:
        return site not in ("same-origin", "none")
    return origin is not None and origin != ORIGIN


@pytest.mark.promise("C1")
@pytest.mark.parametrize(
    ("configured", "sent"),
    [
        ("https://gatehouse.test", "https://gatehouse.test:443"),
        ("https://gatehouse.test:443", "https://gatehouse.test"),
        ("http://gatehouse.test", "http://gatehouse.test:80"),
        ("http://gatehouse.test:80", "http://gatehouse.test"),
    ],
)
async def test_the_default_port_need_not_be_named(settings: Settings, configured: str, sent: str) -> None:
    async with run_app(settings.replace(AppSettings(environment=Environment.TEST, origin=configured))) as app:
        client = await app.client(origin=sent)
        assert_problem(await client.delete("/api/v1/account/logout"), "unauthenticated")


@pytest.mark.promise("C1")
@pytest.mark.parametrize(
    "origin", ["", "null", "gatehouse.test", "https://gatehouse.test:99999", "https://[gatehouse.test"]
)
def test_an_own_origin_that_is_none_is_an_error_since_any_other_that_is_none_would_equal_it(origin: str) -> None:
    with pytest.raises(ValueError, match="own origin"):
        CsrfMiddleware(Starlette(), origin)


@pytest.mark.promise("C1")
@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("site", SITES)
async def test_the_site_decides_where_it_is_sent_and_else_the_origin(
    app: RunningApp, site: str | None, origin: str | None
) -> None:
    client = await app.client()
    headers = headers_of(site, origin)

    refused_calls = set()
    for method, path in UNSAFE + SAFE:
        answer = await client.request(method, path, headers=headers)
        if answer.status_code == 403:
            assert_problem(answer, "cross-site-request")
            refused_calls.add((method, path))

    assert refused_calls == (set(UNSAFE) if is_refused(site, origin) else set())


@pytest.mark.promise("C1")
@pytest.mark.parametrize("headers", [headers_of("cross-site", None), headers_of(None, "https://evil.test")])
@pytest.mark.parametrize("path", [LOGIN, SIGN_UP])
async def test_another_site_logs_nobody_in_and_signs_nobody_up(
    app: RunningApp, path: str, headers: dict[str, str]
) -> None:
    if path == LOGIN:
        await app.add_user("alice")
    client = await app.client()
    account = {"username": "alice", "password": PASSWORD}

    assert_problem(await client.post(path, json=account, headers=headers), "cross-site-request")

    assert client.cookies.get(COOKIE) is None
    assert (await client.post(path, json=account)).status_code == (204 if path == LOGIN else 201)


@pytest.mark.promise("C1")
async def test_another_site_logs_nobody_out_and_takes_no_cookie_away(app: RunningApp) -> None:
    client = await app.logged_in("alice")

    answer = await client.delete("/api/v1/account/logout", headers={"sec-fetch-site": "same-site"})

    assert_problem(answer, "cross-site-request")
    assert "set-cookie" not in answer.headers
    assert (await client.get(ME)).status_code == 200


@pytest.mark.promise("C1")
@pytest.mark.parametrize(
    ("host", "origin", "problem"),
    [
        ("evil.test", "https://evil.test", "invalid-host"),
        ("gatehouse.test", "https://evil.test", "cross-site-request"),
        ("localhost", "https://localhost", "cross-site-request"),
    ],
)
async def test_the_host_header_makes_no_origin_ours(app: RunningApp, host: str, origin: str, problem: str) -> None:
    answer = await (await app.client()).post(LOGIN, json={}, headers={"host": host, "origin": origin})

    assert_problem(answer, problem)


@pytest.mark.promise("C1")
@pytest.mark.parametrize(
    "headers",
    [
        [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
        [("origin", ORIGIN), ("origin", "https://evil.test")],
        [("origin", "https://evil.test"), ("origin", ORIGIN)],
    ],
)
async def test_a_header_sent_twice_does_not_slip_through(app: RunningApp, headers: list[tuple[str, str]]) -> None:
    assert_problem(await (await app.client()).post(LOGIN, json={}, headers=headers), "cross-site-request")


@pytest.mark.promise("C4")
@pytest.mark.parametrize(("method", "path"), SAFE + UNSAFE)
async def test_no_other_origin_is_let_in_to_read(app: RunningApp, method: str, path: str) -> None:
    headers = {"origin": "https://evil.test", "access-control-request-method": "POST"}

    answer = await (await app.client()).request(method, path, headers=headers)

    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert "evil.test" not in str(answer.headers)
