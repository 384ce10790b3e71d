"""What a proxy removes, replaces or ends stays removed, replaced and ended."""

import re
from uuid import UUID

import httpx
import pytest

from gatehouse.testing.answers import assert_problem
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import LOGIN, RunningApp
from tests.http.served_app import LAST, request
from tests.http.test_trailers import chunked
from tests.system.proxies import CLIENT_IP, ProxiedApp

SESSIONS = "/api/v1/account/sessions"
JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
CREDENTIALS = f'{{"username": "alice", "password": "{PASSWORD}"}}'.encode()
FORGED_IP = "198.51.100.9"


def log_in(proxied_app: ProxiedApp, *trailers: str, fields: tuple[str, ...] = (JSON,)) -> httpx.Response:
    """With fields that the proxy removes or replaces, and with trailers."""
    message = request(f"POST {LOGIN}", CHUNKED, LAST, *fields, body=chunked(CREDENTIALS, *trailers))
    [answer] = proxied_app.answers_to(message)
    return answer


@pytest.mark.promise("E1", "D5")
@pytest.mark.parametrize("name", ["X-Forwarded-For", "x-forwarded-for", "X-FORWARDED-FOR"])
async def test_the_clients_address_is_the_one_that_the_proxy_says(
    app: RunningApp, proxied_app: ProxiedApp, name: str
) -> None:
    await app.add_user("alice")
    forged = f"{name}: {FORGED_IP}"

    login = log_in(proxied_app, forged, fields=(JSON, forged))
    cookie, _, _ = login.headers["set-cookie"].partition(";")
    [answer] = proxied_app.answers_to(request(f"GET {SESSIONS}", f"Cookie: {cookie}", LAST))
    assert [session["ip"] for session in answer.json()["sessions"]] == [CLIENT_IP]


@pytest.mark.promise("E1", "G5")
async def test_the_requests_id_is_the_one_that_the_proxy_says(app: RunningApp, proxied_app: ProxiedApp) -> None:
    await app.add_user("alice")
    forged = "X-Request-ID: forged"

    request_id = log_in(proxied_app, forged, fields=(JSON, forged)).headers["x-request-id"]
    # nginx makes 32 digits, HAProxy a UUID of version 4, the application one of version 7.
    assert re.fullmatch("[0-9a-f]{32}", request_id) or UUID(request_id).version == 4


@pytest.mark.promise("E1")
@pytest.mark.parametrize("trailer", ["Host: evil.test", "Sec-Fetch-Site: cross-site"])
async def test_a_trailer_is_no_header(app: RunningApp, proxied_app: ProxiedApp, trailer: str) -> None:
    await app.add_user("alice")

    assert log_in(proxied_app, trailer).status_code == 204


@pytest.mark.promise("E1")
async def test_a_trailer_stands_for_no_missing_header(proxied_app: ProxiedApp) -> None:
    assert_problem(log_in(proxied_app, JSON, fields=()), "unsupported-media-type")


@pytest.mark.promise("E2")
@pytest.mark.parametrize("protocol", ["websocket", "h2c"])
def test_the_body_of_an_upgrade_is_no_request(proxied_app: ProxiedApp, protocol: str) -> None:
    smuggled = request("GET /livez")
    upgrade = ("Connection: Upgrade", f"Upgrade: {protocol}")

    answers = proxied_app.answers_to(request(f"POST {LOGIN}", JSON, *upgrade, body=smuggled) + request("GET /", LAST))
    assert 200 not in [answer.status_code for answer in answers]
