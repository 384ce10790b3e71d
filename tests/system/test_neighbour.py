"""nginx lets a request through to another service if Gatehouse knows the session, as the page of proxies shows it."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import RunningApp
from tests.http.served_app import LAST, ServedApp, request
from tests.system.page import PROXIES, fill_in, snippet
from tests.system.processes import free_port
from tests.system.proxies import CLIENT_IP, ProxiedApp, nginx

REPORTS = "/reports/yearly"


@dataclass
class Neighbour:
    """Keeps what it was asked."""

    port: int
    requests: list[tuple[str, str, httpx.Headers, bytes]] = field(default_factory=list)


@pytest.fixture(scope="module")
def listening_neighbour() -> Iterator[Neighbour]:
    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline()
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            listening.requests.append((self.command, self.path, httpx.Headers(self.headers.items()), body))
            self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\nreports")
            self.close_connection = True

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        listening = Neighbour(server.server_port)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield listening
        server.shutdown()
        thread.join()


@pytest.fixture
def neighbour(listening_neighbour: Neighbour) -> Neighbour:
    listening_neighbour.requests.clear()
    return listening_neighbour


def guarding_blocks(neighbour: Neighbour) -> str:
    return fill_in(snippet("nginx", "location /reports/", PROXIES), {"127.0.0.1:9000": f"127.0.0.1:{neighbour.port}"})


@pytest.fixture(scope="module")
def guard(
    server: ServedApp, listening_neighbour: Neighbour, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ProxiedApp]:
    with nginx(server, tmp_path_factory.mktemp("guard"), more=guarding_blocks(listening_neighbour)) as guard:
        yield guard


def ask(
    guard: ProxiedApp, client: httpx.AsyncClient, *fields: str, line: str = "", body: bytes = b""
) -> httpx.Response:
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    message = request(line or f"GET {REPORTS}", LAST, *([f"Cookie: {cookies}"] if cookies else []), *fields, body=body)
    [answer] = guard.answers_to(message)
    return answer


async def test_with_a_session_the_request_comes_through_whole(
    app: RunningApp, guard: ProxiedApp, neighbour: Neighbour
) -> None:
    client = await app.logged_in("alice")

    answer = ask(guard, client, "Content-Type: text/csv", line=f"POST {REPORTS}", body=b"a;b;c")

    assert (answer.status_code, answer.text) == (200, "reports")
    [(method, path, headers, body)] = neighbour.requests
    assert (method, path, body) == ("POST", REPORTS, b"a;b;c")
    assert headers["content-type"] == "text/csv"


async def test_without_a_session_or_after_its_end_it_does_not(
    app: RunningApp, guard: ProxiedApp, neighbour: Neighbour
) -> None:
    stranger, client = await app.client(), await app.logged_in("alice")
    before = httpx.Cookies(client.cookies)
    assert ask(guard, stranger).status_code == 401

    assert ask(guard, client).status_code == 200
    assert (await client.delete("/api/v1/account/logout")).status_code == 204
    client.cookies = before
    assert ask(guard, client).status_code == 401
    assert len(neighbour.requests) == 1


async def test_who_must_change_the_password_first_is_refused(
    app: RunningApp, guard: ProxiedApp, neighbour: Neighbour
) -> None:
    admin = await app.logged_in("chief.admin", Role.ADMIN)
    created = await admin.post("/api/v1/users/", json={"username": "newcomer", "password": PASSWORD})
    assert created.status_code == 201

    assert ask(guard, await app.log_in("newcomer")).status_code == 403
    assert neighbour.requests == []


async def test_neither_side_believes_what_the_client_forged(
    app: RunningApp, guard: ProxiedApp, neighbour: Neighbour
) -> None:
    client = await app.logged_in("alice")

    answer = ask(guard, client, "X-Forwarded-For: 198.51.100.9", "X-Request-ID: forged", "If-None-Match: *")

    assert answer.status_code == 200
    [(_, _, headers, _)] = neighbour.requests
    assert headers.get_list("x-forwarded-for") == [CLIENT_IP]
    assert headers["x-request-id"] != "forged"
    assert "cookie" not in headers


async def test_the_question_itself_cannot_be_asked_from_outside(app: RunningApp, guard: ProxiedApp) -> None:
    assert ask(guard, await app.logged_in("alice"), line="GET /_session").status_code == 404


async def test_while_gatehouse_is_away_nobody_comes_through(
    app: RunningApp, neighbour: Neighbour, tmp_path: Path
) -> None:
    client = await app.logged_in("alice")
    with nginx(ServedApp(free_port()), tmp_path, more=guarding_blocks(neighbour)) as guard:
        answer = ask(guard, client)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert neighbour.requests == []
