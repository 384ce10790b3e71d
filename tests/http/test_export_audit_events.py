"""How super admins download the audit trail: a stream of any length, over the network."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest

from gatehouse.common.settings import Settings
from gatehouse.testing.answers import assert_problem
from gatehouse.testing.running_app import RunningApp, cookie, token_of
from gatehouse.testing.trail import page
from tests.http.served_app import PATIENCE_SECONDS, ServedApp, request, serve_app

pytestmark = pytest.mark.slow

EXPORT = "/api/v1/audit/export"
MANY = 5_000
END = b"0\r\n\r\n"
# More than all buffers between the two hold, so that the server has to wait for whoever does not read.
FILL = """
    INSERT INTO audit_events (id, at, action, outcome, actor, subject_kind, subject_id, subject_label)
    SELECT gen_random_uuid(), now() - number * interval '1 hour', 'log_in', 'succeeded', 'busy.user', 'room',
        number::text, repeat('x', 4000)
    FROM generate_series(1, 5000) AS number
"""


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[ServedApp]:
    """With a pool of one connection."""
    with serve_app(settings) as server:
        yield server


@contextmanager
def downloading(server: ServedApp, client: httpx.AsyncClient, query: str = "") -> Iterator[socket.socket]:
    """The answer has begun, and its reader has stopped behind the first line."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        connection.settimeout(PATIENCE_SECONDS)
        connection.connect(("127.0.0.1", server.port))
        [(name, value)] = cookie(token_of(client)).items()
        connection.sendall(request(f"GET {EXPORT}{query}", f"{name}: {value}", "Connection: close"))
        assert connection.recv(12) == b"HTTP/1.1 200"
        yield connection


def rest_of(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65_536), b""))


async def test_every_event_comes_once_newest_first_as_in_the_list(
    app: RunningApp, chief: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    owner.execute(FILL)

    answer = await chief.get(EXPORT)

    events = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert len(events) == MANY + 1
    assert [event["at"] for event in events] == sorted((event["at"] for event in events), reverse=True)
    assert events[:100] == (await page(app, chief, limit=100))["events"]


@pytest.mark.parametrize(("query", "number"), [("?actor=busy.user&since=2100-01-01T00:00:00Z", 0), ("?actor=CHIEF", 1)])
async def test_filters_are_those_of_the_list(
    chief: httpx.AsyncClient, owner: psycopg.Connection, query: str, number: int
) -> None:
    owner.execute(FILL)

    assert len((await chief.get(f"{EXPORT}{query}")).text.splitlines()) == number


@pytest.mark.parametrize("query", ["limit=5", "cursor=x", "actor=x", "action=nothing", "since=yesterday"])
async def test_what_is_wrong_with_the_request_is_told_before_the_answer_begins(
    chief: httpx.AsyncClient, query: str
) -> None:
    assert (await chief.get(f"{EXPORT}?{query}")).status_code == 422


async def test_a_whole_answer_ends_with_the_last_chunk(
    server: ServedApp, chief: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    owner.execute(FILL)
    with downloading(server, chief) as connection:
        assert rest_of(connection).endswith(END)


@pytest.mark.promise("D3")
async def test_a_reader_that_pauses_holds_no_connection_to_the_database(
    server: ServedApp, chief: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    owner.execute(FILL)
    with downloading(server, chief), downloading(server, chief), downloading(server, chief):
        for _ in range(4):
            [answer] = server.answers_to(request("GET /readyz", "Connection: close"))
            assert answer.status_code == 200


@pytest.mark.promise("S8", "S10")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE users SET role = 'admin' WHERE username = 'chief'",
        "UPDATE users SET is_active = false WHERE username = 'chief'",
        "DELETE FROM sessions",
    ],
)
async def test_who_may_not_go_on_is_cut_off_without_the_last_chunk(
    server: ServedApp, chief: httpx.AsyncClient, owner: psycopg.Connection, statement: str
) -> None:
    owner.execute(FILL)
    with downloading(server, chief) as connection:
        owner.execute(statement.encode())

        rest = rest_of(connection)

    assert not rest.endswith(END)
    assert rest.count(b'"busy.user"') < MANY


async def test_others_get_nothing(app: RunningApp) -> None:
    assert_problem(await (await app.logged_in("mallory")).get(EXPORT), "forbidden")
    assert_problem(await (await app.client()).get(EXPORT), "unauthenticated")
