"""What only a real server shows of an application."""

import logging
from pathlib import Path

import pytest
import structlog

from gatehouse.common.settings import Settings, UvicornSettings
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import LOGIN, RunningApp
from tests.http.served_app import LAST, ServedApp, logged_lines, request, serve_app

JSON = "Content-Type: application/json"
SESSIONS = "/api/v1/account/sessions"
CREDENTIALS = f'{{"username": "alice", "password": "{PASSWORD}"}}'.encode()
CLIENT_IP = "203.0.113.5"


def session_ip(server: ServedApp) -> str:
    """As the session of a login shows it that says to come from CLIENT_IP."""
    forwarded = f"X-Forwarded-For: {CLIENT_IP}"
    [login] = server.answers_to(request(f"POST {LOGIN}", JSON, forwarded, LAST, body=CREDENTIALS))
    cookie, _, _ = login.headers["set-cookie"].partition(";")
    [answer] = server.answers_to(request(f"GET {SESSIONS}", f"Cookie: {cookie}", LAST))
    [session] = answer.json()["sessions"]
    return str(session["ip"])


@pytest.mark.promise("D5")
async def test_a_proxy_that_is_trusted_is_believed(app: RunningApp, proxied_server: ServedApp) -> None:
    await app.add_user("alice")

    assert session_ip(proxied_server) == CLIENT_IP


@pytest.mark.promise("D5")
async def test_without_proxies_nobody_is_believed(app: RunningApp, hasty_server: ServedApp) -> None:
    """Not even the machine itself, which uvicorn would trust."""
    await app.add_user("alice")

    assert session_ip(hasty_server) == "127.0.0.1"


@pytest.mark.promise("E6")
@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this machine has no IPv6")
def test_a_client_of_ipv4_has_its_own_address_on_a_server_that_listens_on_ipv6(settings: Settings) -> None:
    trusting = settings.replace(UvicornSettings(trusted_proxies=["127.0.0.0/8"]))
    with serve_app(trusting, host="::") as server, structlog.testing.capture_logs() as logs:
        [answer] = server.answers_to(request("GET /livez", "X-Request-ID: chosen", LAST))
        server.answers_to(b"no request\r\n\r\n")

    assert answer.headers["x-request-id"] == "chosen"
    assert [line["ip"] for line in logs if line["event"] == "refused"] == ["127.0.0.1"]


@pytest.mark.promise("G5")
def test_a_request_id_is_taken_over_from_a_trusted_proxy_only(
    proxied_server: ServedApp, hasty_server: ServedApp
) -> None:
    message = request("GET /livez", "X-Request-ID: chosen", LAST)
    [proxied], [direct] = proxied_server.answers_to(message), hasty_server.answers_to(message)

    assert (proxied.headers["x-request-id"] == "chosen", direct.headers["x-request-id"] == "chosen") == (True, False)


def test_no_answer_names_the_server_software(proxied_server: ServedApp) -> None:
    [answer] = proxied_server.answers_to(request("GET /livez", LAST))

    assert "server" not in answer.headers
    assert "uvicorn" not in str(answer.headers)


def test_the_server_logs_no_line_for_each_request(proxied_server: ServedApp) -> None:
    """It would hold paths and query strings, and cost time."""
    access = logging.getLogger("uvicorn.access")
    level = access.level
    access.setLevel(logging.INFO)
    with logged_lines(logging.INFO) as lines:
        proxied_server.answers_to(request("GET /livez", LAST))
    access.setLevel(level)

    assert lines == []
