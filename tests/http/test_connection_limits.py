"""How much, how long and how many: the limits of the connections that a server process keeps."""

import asyncio
import gc
import logging
import select
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
import structlog
from dishka import Provider, Scope

from gatehouse.common.application.ports import Readiness
from gatehouse.common.presentation.http.connection import HttpConnection
from gatehouse.common.settings import Settings
from gatehouse.testing.answers import SECURITY_HEADERS, assert_problem
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import RunningApp
from tests.http.served_app import LAST, PATIENCE_SECONDS, Connection, ServedApp, logged_lines, request, serve_app

pytestmark = pytest.mark.slow

SIGN_UP = "/api/v1/account/signup"
JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
KIB = 1024
LATE = b"GET /livez HTTP/1.1\r\n"
CREDENTIALS = f'{{"username": "alice", "password": "{PASSWORD}"}}'.encode()


def field_of(length: int) -> str:
    """A line of so many bytes, with its end."""
    return "X: ".ljust(length - len("\r\n"), "x")


def head_of(length: int) -> bytes:
    """Counted are the target, the fields and their line ends."""
    rest = len("/livez") + len(f"Host: gatehouse.test\r\n{LAST}\r\n")
    return request("GET /livez", LAST, field_of(length - rest))


@pytest.mark.promise("E3")
@pytest.mark.parametrize(("message", "status"), [(head_of(32 * KIB), 200), (head_of(32 * KIB + 1), 431)])
def test_a_head_has_at_most_32_kib(proxied_server: ServedApp, message: bytes, status: int) -> None:
    [answer] = proxied_server.answers_to(message)
    assert answer.status_code == status


@pytest.mark.promise("E3")
@pytest.mark.parametrize(("fields", "status"), [(100, 200), (101, 431), (20_000, 431)])
def test_a_head_has_at_most_100_fields(proxied_server: ServedApp, fields: int, status: int) -> None:
    [answer] = proxied_server.answers_to(request("GET /livez", LAST, *["X:"] * (fields - 2)))
    assert answer.status_code == status


@pytest.mark.promise("E3")
@pytest.mark.parametrize(
    "beginning", [b"GET /", b"GET / HTTP/1.1\r\nX", b"GET / HTTP/1.1\r\nX: ", b"GET / HTTP/1.1\r\nX: x\r\nY: "]
)
def test_a_head_is_not_read_beyond_its_limit(proxied_server: ServedApp, beginning: bytes) -> None:
    with proxied_server.connect() as connection:
        connection.send(beginning + b"x" * 96 * KIB)
        [answer] = connection.remaining_answers()

    assert_problem(answer, "head-too-large")


@pytest.mark.promise("E3")
def test_a_client_that_goes_on_sending_can_still_read_the_refusal(proxied_server: ServedApp) -> None:
    with proxied_server.connect() as connection:
        for _ in range(64):
            connection.send(b"GET /" + b"x" * 64 * KIB)
        [answer] = connection.remaining_answers()

    assert_problem(answer, "head-too-large")


@pytest.mark.promise("D4", "E3")
def test_a_body_is_no_part_of_a_head(proxied_server: ServedApp) -> None:
    chunks = b"4000\r\n%b\r\n" % (b" " * 16 * KIB) * 8 + b"0\r\n\r\n"
    message = request(f"POST {SIGN_UP}", JSON, CHUNKED, body=chunks)
    answers = proxied_server.answers_to(message + request("GET /livez", LAST))
    assert [answer.status_code for answer in answers] == [413, 200]


@pytest.mark.promise("E3")
@pytest.mark.parametrize(
    "chunks",
    [
        b"2\r\n{}\r\n0\r\nX: " + b"x" * 96 * KIB,
        b"2\r\n{}\r\n0\r\n" + b"X: x\r\n" * 16 * KIB,
        b"2;" + b"x" * 96 * KIB,
        b"1;xxxxxxxxxxxxxxxx\r\n{\r\n" * 6 * KIB,
    ],
)
def test_what_surrounds_a_body_is_not_read_without_end_either(proxied_server: ServedApp, chunks: bytes) -> None:
    [answer] = proxied_server.answers_to(request(f"POST {SIGN_UP}", JSON, CHUNKED, body=chunks))
    assert_problem(answer, "bad-request")


def dribble(connection: Connection, drop: bytes) -> None:
    """Until the server closes the connection."""
    poll = select.poll()
    poll.register(connection.socket, select.POLLIN)
    for _ in range(PATIENCE_SECONDS * 100):
        if poll.poll(10):
            return
        connection.send(drop)
    raise AssertionError("the connection is still open")


@pytest.mark.promise("E3")
@pytest.mark.parametrize("before", [b"", request("GET /livez")])
@pytest.mark.parametrize("drop", [b"", b"x"])
def test_a_head_that_does_not_come_in_time_is_refused(hasty_server: ServedApp, before: bytes, drop: bytes) -> None:
    """Its time counts from its first byte on, and not from the last one."""
    with hasty_server.connect() as connection:
        if before:
            connection.send(before)
            assert connection.answer() is not None
        connection.send(b"GET /")
        dribble(connection, drop)
        [answer] = connection.remaining_answers()

    assert_problem(answer, "request-timeout")


@pytest.mark.promise("E3")
@pytest.mark.parametrize("framing", [f"Content-Length: {len(CREDENTIALS) + 1}", CHUNKED])
async def test_a_request_whose_body_does_not_come_in_time_is_not_carried_out(
    app: RunningApp, hasty_server: ServedApp, framing: str
) -> None:
    body = CREDENTIALS if framing != CHUNKED else b"%x\r\n%b\r\n" % (len(CREDENTIALS), CREDENTIALS)
    [answer] = hasty_server.answers_to(request(f"POST {SIGN_UP}", JSON, framing, body=body))

    assert_problem(answer, "request-timeout")
    sign_up = await (await app.client()).post(SIGN_UP, json={"username": "alice", "password": PASSWORD})
    assert sign_up.status_code == 201


@pytest.mark.promise("E2", "E3")
@pytest.mark.usefixtures("app")
async def test_what_comes_after_a_refusal_is_not_read(hasty_server: ServedApp) -> None:
    message = request(f"POST {SIGN_UP}", JSON, LAST, body=CREDENTIALS)
    with hasty_server.connect() as connection:
        connection.send(message[:20])
        [late] = connection.remaining_answers()
        connection.send(message[20:])
        [answer] = hasty_server.answers_to(message)

    assert_problem(late, "request-timeout")
    assert answer.status_code == 201


@pytest.mark.promise("E3")
@pytest.mark.parametrize("drop", [b"", b"\r\n"])
def test_a_connection_that_never_spoke_is_closed_without_a_word(hasty_server: ServedApp, drop: bytes) -> None:
    with hasty_server.connect() as connection:
        dribble(connection, drop)
        assert connection.is_closed_without_a_word()


@pytest.mark.promise("E3")
@pytest.mark.parametrize("drop", [b"", b"\r\n"])
def test_an_idle_connection_is_closed_without_a_word(hasty_server: ServedApp, drop: bytes) -> None:
    with hasty_server.connect() as connection:
        connection.send(request("GET /livez"))
        assert connection.answer() is not None
        dribble(connection, drop)
        assert connection.is_closed_without_a_word()


class SlowReadiness:
    """Takes longer than a request may."""

    async def ensure_ready(self) -> None:
        await asyncio.sleep(0.25)


@pytest.fixture(scope="module")
def slow_server(settings: Settings) -> Iterator[ServedApp]:
    slow = Provider(scope=Scope.APP)
    slow.provide(SlowReadiness, provides=Readiness)
    with serve_app(settings, slow, request_seconds=0.1) as server:
        yield server


@pytest.mark.promise("E3")
def test_a_body_that_is_still_coming_after_the_answer_has_no_more_time(slow_server: ServedApp) -> None:
    [answer] = slow_server.answers_to(request(f"POST {SIGN_UP}", JSON, "Content-Length: 20000"))
    assert_problem(answer, "content-too-large")


@pytest.mark.promise("E3")
def test_the_time_for_a_request_ends_with_the_request(slow_server: ServedApp) -> None:
    slow = request("GET /readyz")
    with slow_server.connect() as connection:
        connection.send(slow[:-1])
        assert slow_server.answers_to(request("GET /livez", LAST))  # by now it has seen the beginning
        connection.send(slow[-1:])
        first = connection.answer()
        connection.send(request("GET /livez", LAST))
        [second] = connection.remaining_answers()

    assert first is not None
    assert (first.status_code, second.status_code) == (200, 200)


@pytest.mark.promise("E3")
def test_the_time_that_the_answer_takes_counts_for_no_request(slow_server: ServedApp) -> None:
    """Not for the one that is answered, nor for one that waits behind it and of which no more is read meanwhile."""
    slow, behind = request("GET /readyz"), request(f"POST {SIGN_UP}", JSON, LAST, body=b"{}")
    with slow_server.connect() as connection:
        connection.send(slow + behind[:-1])
        first = connection.answer()
        connection.send(behind[-1:])
        [second] = connection.remaining_answers()

    assert first is not None
    assert (first.status_code, second.status_code) == (200, 422)


def is_turned_away(server: ServedApp) -> bool:
    with server.connect() as connection:
        try:
            connection.send(request("GET /livez", LAST))
            return connection.answer() is None
        except ConnectionError:
            return True


def assert_admits(server: ServedApp) -> None:
    """As soon as the server has seen that another connection is gone."""
    end = time.monotonic() + PATIENCE_SECONDS
    while is_turned_away(server):
        assert time.monotonic() < end


@pytest.mark.promise("E3")
def test_a_client_that_does_not_read_its_answers_is_cut_off(settings: Settings) -> None:
    with serve_app(settings, connections=1, keep_alive_seconds=0.1) as server, server.connect() as connection:
        connection.send(request("GET /docs/assets/swagger-ui-bundle.js") * 10)

        assert_admits(server)


def open_files() -> int:
    """Sockets are none of them."""
    return sum(Path(path).is_file() for path in Path("/dev/fd").iterdir())


@pytest.mark.promise("E4")
def test_a_client_that_reads_slowly_keeps_no_file_open_but_its_connection(proxied_server: ServedApp) -> None:
    """Else the files that the process may open are used up before its connections are."""
    with proxied_server.connect() as connection:
        before = open_files()
        connection.send(request("GET /docs/assets/swagger-ui-bundle.js") * 10)
        assert connection.answer() is not None

        assert {open_files() for _ in range(300)} == {before}


def reset(connection: Connection) -> tuple[str, int]:
    """Returns the address that the server knew the client by."""
    address: tuple[str, int] = connection.socket.getsockname()
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.socket.close()
    return address


def is_in_memory(client: tuple[str, int]) -> bool:
    gc.collect()
    return any(type(each) is HttpConnection and each.client == client for each in gc.get_objects())


@pytest.mark.promise("E3")
@pytest.mark.parametrize("behind", [b"", LATE, request("GET /readyz"), request("GET /readyz") * 2])
def test_nothing_is_left_of_a_connection_that_was_reset(slow_server: ServedApp, behind: bytes) -> None:
    """It counts no longer: what a timer kept of thousands would fill the memory. Nor does the log speak of errors."""
    with logged_lines(logging.WARNING) as lines, slow_server.connect() as connection:
        connection.send(request("GET /readyz") + behind)
        assert connection.answer() is not None
        client = reset(connection)

        end = time.monotonic() + PATIENCE_SECONDS
        while is_in_memory(client):
            assert time.monotonic() < end

    assert lines == []


@pytest.mark.promise("E4")
def test_connections_beyond_the_limit_are_turned_away_and_those_in_work_go_on(settings: Settings) -> None:
    message = request("GET /livez")
    with serve_app(settings, connections=2) as server, server.connect() as idle, server.connect() as busy:
        idle.send(message)
        assert idle.answer() is not None
        busy.send(message[:-1])
        with structlog.testing.capture_logs() as logs:
            assert all(is_turned_away(server) for _ in range(5))

        idle.send(message)
        busy.send(message[-1:])
        answers = [connection.answer() for connection in (idle, busy)]
        assert [answer and answer.status_code for answer in answers] == [200, 200]

        idle.socket.close()
        assert_admits(server)

    assert logs == [{"event": "too_many_connections", "log_level": "warning", "limit": 2, "turned_away": 1}]


@pytest.mark.promise("E5")
@pytest.mark.parametrize(
    ("message", "slug"),
    [(b"nonsense\r\n", "bad-request"), (head_of(64 * KIB), "head-too-large"), (LATE, "request-timeout")],
)
def test_what_the_server_itself_refuses_is_answered_like_everything_else(
    hasty_server: ServedApp, message: bytes, slug: str
) -> None:
    with structlog.testing.capture_logs() as logs:
        [answer] = hasty_server.answers_to(message)

    assert_problem(answer, slug)
    expected = {
        **SECURITY_HEADERS,
        "strict-transport-security": "max-age=63072000; includeSubDomains",
        "connection": "close",
        "content-type": "application/problem+json",
        "content-length": str(len(answer.content)),
        "x-request-id": answer.headers["x-request-id"],
        "date": answer.headers["date"],
    }
    assert sorted(answer.headers.multi_items()) == sorted(expected.items())
    assert UUID(answer.headers["x-request-id"]).version == 7
    assert [(line["event"], line["problem"], line["ip"], line["request_id"]) for line in logs] == [
        ("refused", slug, "127.0.0.1", answer.headers["x-request-id"])
    ]


@pytest.mark.promise("E5")
def test_production_alone_insists_on_tls(proxied_server: ServedApp) -> None:
    [answer] = proxied_server.answers_to(b"nonsense\r\n")
    assert "strict-transport-security" not in answer.headers
