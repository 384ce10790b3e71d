"""Fields after a chunked body. A proxy that removes a header, or sets one, does not do so with a trailer."""

import httpx
import pytest

from gatehouse.testing.answers import assert_problem
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import COOKIE, LOGIN, RunningApp, token_of
from tests.http.served_app import LAST, ServedApp, request

pytestmark = pytest.mark.promise("E1")

ME, SESSIONS = "/api/v1/account/me", "/api/v1/account/sessions"
JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
CREDENTIALS = f'{{"username": "alice", "password": "{PASSWORD}"}}'.encode()
FORGED_IP, CLIENT_IP = "198.51.100.9", "203.0.113.5"


def chunked(body: bytes, *trailers: str) -> bytes:
    lines = "".join(f"{trailer}\r\n" for trailer in trailers).encode()
    return b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(body), body, lines)


def log_in(server: ServedApp, *trailers: str, fields: tuple[str, ...] = (JSON,)) -> httpx.Response:
    message = request(f"POST {LOGIN}", CHUNKED, LAST, *fields, body=chunked(CREDENTIALS, *trailers))
    [answer] = server.answers_to(message)
    return answer


def session_ip(server: ServedApp, answer: httpx.Response) -> str:
    cookie, _, _ = answer.headers["set-cookie"].partition(";")
    [sessions] = server.answers_to(request(f"GET {SESSIONS}", f"Cookie: {cookie}", LAST))
    [session] = sessions.json()["sessions"]
    return str(session["ip"])


@pytest.mark.promise("D5")
async def test_the_clients_address_is_not_taken_from_a_trailer(app: RunningApp, proxied_server: ServedApp) -> None:
    await app.add_user("alice")

    answer = log_in(proxied_server, f"X-Forwarded-For: {FORGED_IP}")
    assert session_ip(proxied_server, answer) == "127.0.0.1"


@pytest.mark.promise("D5")
async def test_a_trailer_adds_nothing_to_what_the_proxy_said(app: RunningApp, proxied_server: ServedApp) -> None:
    await app.add_user("alice")

    fields = (JSON, f"X-Forwarded-For: {CLIENT_IP}")
    answer = log_in(proxied_server, f"X-Forwarded-For: {FORGED_IP}", fields=fields)
    assert session_ip(proxied_server, answer) == CLIENT_IP


async def test_a_request_id_is_not_taken_from_a_trailer(app: RunningApp, proxied_server: ServedApp) -> None:
    await app.add_user("alice")

    assert log_in(proxied_server, "X-Request-ID: forged").headers["x-request-id"] != "forged"


@pytest.mark.parametrize(
    "trailer", ["Host: evil.test", "Sec-Fetch-Site: cross-site", "Origin: https://evil.test", "Content-Encoding: gzip"]
)
async def test_no_request_is_refused_for_a_trailer(app: RunningApp, proxied_server: ServedApp, trailer: str) -> None:
    await app.add_user("alice")

    assert log_in(proxied_server, trailer).status_code == 204


@pytest.mark.parametrize(
    ("fields", "trailer", "slug"),
    [
        ((), JSON, "unsupported-media-type"),
        ((JSON, "Origin: https://evil.test"), "Sec-Fetch-Site: same-origin", "cross-site-request"),
        ((JSON, "Sec-Fetch-Site: cross-site"), "Sec-Fetch-Site: same-origin", "cross-site-request"),
    ],
)
async def test_no_request_passes_for_a_trailer(
    proxied_server: ServedApp, fields: tuple[str, ...], trailer: str, slug: str
) -> None:
    assert_problem(log_in(proxied_server, trailer, fields=fields), slug)


async def test_a_trailer_is_no_host(proxied_server: ServedApp) -> None:
    head = f"POST {LOGIN} HTTP/1.1\r\n{CHUNKED}\r\n{JSON}\r\n\r\n".encode()

    [answer] = proxied_server.answers_to(head + chunked(CREDENTIALS, "Host: gatehouse.test"))
    assert_problem(answer, "bad-request")


async def test_a_session_in_a_trailer_is_none(app: RunningApp, proxied_server: ServedApp) -> None:
    trailer = f"Cookie: {COOKIE}={token_of(await app.logged_in('alice'))}"

    message = request(f"GET {ME}", CHUNKED, JSON, LAST, body=chunked(b"{}", trailer))
    [answer] = proxied_server.answers_to(message)
    assert_problem(answer, "unauthenticated")


async def test_a_trailer_is_no_header_of_the_next_request_either(app: RunningApp, proxied_server: ServedApp) -> None:
    trailer = f"Cookie: {COOKIE}={token_of(await app.logged_in('alice'))}"
    first = request(f"GET {ME}", CHUNKED, JSON, body=chunked(b"{}", "X-Empty:", trailer))

    answers = proxied_server.answers_to(first + request(f"GET {ME}", LAST))
    assert [answer.status_code for answer in answers] == [401, 401]
