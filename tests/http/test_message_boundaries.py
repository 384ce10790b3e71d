"""Where a request ends. Whoever disagrees with a proxy about that takes a part of one request for another one."""

import logging
from collections.abc import Iterator

import pytest

from gatehouse.testing.answers import assert_problem
from gatehouse.testing.running_app import LOGIN
from tests.http.served_app import LAST, ServedApp, logged_lines, request

pytestmark = [pytest.mark.promise("E2"), pytest.mark.usefixtures("_silent_server")]

JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
SMUGGLED = request("GET /livez", LAST)
GET = b"GET /livez HTTP/1.1\r\nHost: gatehouse.test\r\n"
POST = f"POST {LOGIN} HTTP/1.1\r\nHost: gatehouse.test\r\n{JSON}\r\n".encode()


@pytest.fixture
def _silent_server() -> Iterator[None]:
    """What clients send is no fault of the server's: no line above INFO, and no traceback."""
    with logged_lines(logging.WARNING) as lines:
        yield
    assert lines == []


def assert_refused(server: ServedApp, message: bytes) -> None:
    """And the connection closed: what comes behind is no request."""
    [answer] = server.answers_to(message)
    assert_problem(answer, "bad-request")
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    "message",
    [
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        POST + b"Content-Length: 2\r\nContent-Length: 20\r\n\r\n{}",
        POST + b"Content-Length: 2, 2\r\n\r\n{}",
        POST + b"Content-Length: +2\r\n\r\n{}",
        POST + b"Content-Length: -2\r\n\r\n{}",
        POST + b"Content-Length: 0x2\r\n\r\n{}",
        POST + b"Content-Length:\r\n\r\n{}",
        POST + b"Content-Length: 18446744073709551618\r\n\r\n{}",
        POST + b"Content-Length : 2\r\n\r\n{}",
        POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: identity\r\n\r\n{}",
        POST + b"Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ],
)
def test_a_length_that_can_be_read_in_two_ways_is_refused(proxied_server: ServedApp, message: bytes) -> None:
    assert_refused(proxied_server, message + SMUGGLED)


@pytest.mark.parametrize(
    "chunks",
    [
        b"FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n",
        b"-2\r\n{}\r\n0\r\n\r\n",
        b"0x2\r\n{}\r\n0\r\n\r\n",
        b"2 \r\n{}\r\n0\r\n\r\n",
        b"2\n{}\n0\n\n",
        b"2\r\n{}X\r\n0\r\n\r\n",
        b"2\r\n{}0\r\n\r\n",
        b"\r\n{}\r\n0\r\n\r\n",
        b"2;a=\x01\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}\r\n0\r\nno trailer\r\n\r\n",
    ],
)
def test_a_chunk_that_can_be_read_in_two_ways_is_refused(proxied_server: ServedApp, chunks: bytes) -> None:
    assert_refused(proxied_server, POST + f"{CHUNKED}\r\n\r\n".encode() + chunks + SMUGGLED)


@pytest.mark.parametrize(
    "message",
    [
        GET + b"X: folded\r\n line\r\n\r\n",
        GET + b"X: folded\r\n\tline\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n X: first\r\nHost: gatehouse.test\r\n\r\n",
        GET.replace(b"\r", b"") + b"\n",
        GET + b"X: bare LF\n\r\n",
        GET + b"X: bare\rCR\r\n\r\n",
        GET + b"X : blank before the colon\r\n\r\n",
        GET + b": no name\r\n\r\n",
        GET + b"no colon\r\n\r\n",
        GET + b"X\xe4: a name that is not ASCII\r\n\r\n",
        GET + b"X\x00: NUL in a name\r\n\r\n",
        GET + b"X: NUL in\x00 a value\r\n\r\n",
        GET + b"X: a bell\x07 in a value\r\n\r\n",
        GET + b"X: delete\x7f in a value\r\n\r\n",
    ],
)
def test_a_field_that_can_be_read_in_two_ways_is_refused(proxied_server: ServedApp, message: bytes) -> None:
    assert_refused(proxied_server, message + SMUGGLED)


@pytest.mark.parametrize(
    "line",
    [
        b"GET http://[ HTTP/1.1",
        b"GET http:///livez HTTP/1.1",
        b"GET livez HTTP/1.1",
        b"GET /livez\xe4 HTTP/1.1",
        b"GET /livez\x01 HTTP/1.1",
        b"GET /livez more HTTP/1.1",
        b"CONNECT gatehouse.test:443 HTTP/1.1",
        b"PRI * HTTP/2.0",
        b"GET /livez HTTP/2.0",
        b"GET /livez HTTP/1.2",
        b"GET /livez HTTP/0.9",
        b"GET /livez",
        b"get /livez HTTP/1.1",
        b"NOTHING /livez HTTP/1.1",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",  # TLS
        b"\x00",
    ],
)
def test_a_request_line_that_is_none_is_refused(proxied_server: ServedApp, line: bytes) -> None:
    assert_refused(proxied_server, line + b"\r\nHost: gatehouse.test\r\n\r\n" + SMUGGLED)


@pytest.mark.parametrize("hosts", [b"", b"Host: gatehouse.test\r\nHost: gatehouse.test\r\n", b"Host: a\r\nHost: b\r\n"])
@pytest.mark.parametrize("path", [b"/livez", b"/readyz", b"/api/v1/"])
def test_a_request_names_one_host(proxied_server: ServedApp, path: bytes, hosts: bytes) -> None:
    assert_refused(proxied_server, b"GET %b HTTP/1.1\r\n%b\r\n" % (path, hosts) + SMUGGLED)


@pytest.mark.parametrize(
    "target",
    [
        "http://evil.test/livez",
        "http://gatehouse.test:80/livez",
        "http://gatehouse.test@evil.test/livez",
        "x://a/livez",
    ],
)
def test_a_target_names_the_same_host(proxied_server: ServedApp, target: str) -> None:
    assert_refused(proxied_server, request(f"GET {target}") + SMUGGLED)


def test_the_probes_are_open_to_http_1_0_which_has_no_host(proxied_server: ServedApp) -> None:
    [answer] = proxied_server.answers_to(b"GET /livez HTTP/1.0\r\n\r\n" + SMUGGLED)
    assert answer.status_code == 200


@pytest.mark.parametrize("framing", [f"Content-Length: {len(SMUGGLED)}", CHUNKED])
@pytest.mark.parametrize("protocol", ["websocket", "h2c", "x"])
def test_an_upgrade_with_a_body_is_refused(proxied_server: ServedApp, framing: str, protocol: str) -> None:
    upgrade = ("Connection: Upgrade", f"Upgrade: {protocol}")
    assert_refused(proxied_server, request(f"POST {LOGIN}", JSON, *upgrade, framing) + SMUGGLED)


@pytest.mark.parametrize("protocol", ["websocket", "h2c", "x"])
def test_an_upgrade_is_ignored_and_nothing_behind_it_read(proxied_server: ServedApp, protocol: str) -> None:
    upgrade = ("Connection: Upgrade", f"Upgrade: {protocol}")
    [answer] = proxied_server.answers_to(request("GET /livez", *upgrade) + SMUGGLED)
    assert (answer.status_code, answer.headers["connection"]) == (200, "close")


def test_a_request_that_is_said_to_be_the_last_is(proxied_server: ServedApp) -> None:
    [answer] = proxied_server.answers_to(request("GET /livez", LAST) + SMUGGLED)
    assert answer.status_code == 200


def test_requests_before_a_refused_one_are_answered_first(proxied_server: ServedApp) -> None:
    answers = proxied_server.answers_to(request("GET /livez") + request("GET /readyz") + b"nonsense\r\n" + SMUGGLED)
    assert [answer.status_code for answer in answers] == [200, 200, 400]


def test_a_queued_request_whose_body_is_refused_is_not_carried_out(proxied_server: ServedApp) -> None:
    broken = request(f"POST {LOGIN}", JSON, CHUNKED, body=b"2\r\n{}X")
    answers = proxied_server.answers_to(request("GET /readyz") + broken + SMUGGLED)
    assert [answer.status_code for answer in answers] == [200, 400]


def test_a_client_cannot_queue_requests_without_end(proxied_server: ServedApp) -> None:
    answers = proxied_server.answers_to(request("GET /livez") * 1_000)
    assert [answer.status_code for answer in answers] == [200] * 16 + [400]


@pytest.mark.parametrize("space", [" ", "\t", " \t "])
def test_space_around_a_value_is_no_part_of_it(proxied_server: ServedApp, space: str) -> None:
    id_with_space = f"X-Request-ID:{space}an-id{space}"
    [answer] = proxied_server.answers_to(request("GET /livez", id_with_space, LAST))
    assert answer.headers["x-request-id"] == "an-id"


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (b"\r\n\r\n" + request("GET /livez", LAST), 200),
        (request("GET http://gatehouse.test/livez", LAST), 200),
        (request("GET http://Gatehouse.test/livez", LAST), 200),
        (request("GET http://gatehouse.test", LAST), 307),
        (request("GET http://gatehouse.test?next=http://evil.test/livez", LAST), 307),
        (request("GET /livez?next=http://evil.test/", LAST), 200),
        (request("GET /livez", "X: caf\xe9", "X-Empty:", "X:\t padded \t", LAST), 200),
        (request("OPTIONS *", LAST), 404),
        (request(f"POST {LOGIN}", JSON, CHUNKED, LAST, body=b'2;ext="a;b"\r\n{}\r\n0\r\n\r\n'), 422),
        (request("CONNECT http://gatehouse.test/livez"), 405),
    ],
)
def test_what_is_unusual_and_clear_is_read(proxied_server: ServedApp, message: bytes, status: int) -> None:
    [answer] = proxied_server.answers_to(message)
    assert answer.status_code == status


def test_a_client_that_asks_first_is_told_to_go_on(proxied_server: ServedApp) -> None:
    with proxied_server.connect() as connection:
        connection.send(request(f"POST {LOGIN}", JSON, "Expect: 100-continue", "Content-Length: 2", LAST))
        go_on = connection.answer()
        connection.send(b"{}")
        answers = connection.remaining_answers()

    assert go_on is not None
    assert [go_on.status_code, *(answer.status_code for answer in answers)] == [100, 422]


def test_a_client_that_asks_first_is_refused_before_it_sends_the_body(proxied_server: ServedApp) -> None:
    with proxied_server.connect() as connection:
        connection.send(request(f"POST {LOGIN}", JSON, "Expect: 100-continue", "Content-Length: 20000", LAST))
        answer = connection.answer()

    assert answer is not None
    assert_problem(answer, "content-too-large")


def test_a_client_of_http_1_0_is_not_told_to_go_on(proxied_server: ServedApp) -> None:
    asking = request(f"POST {LOGIN}", JSON, "Expect: 100-continue", body=b"{}").replace(b"HTTP/1.1", b"HTTP/1.0")
    assert [answer.status_code for answer in proxied_server.answers_to(asking)] == [422]


def test_an_announced_length_is_believed_without_waiting_for_the_body(proxied_server: ServedApp) -> None:
    with proxied_server.connect() as connection:
        connection.send(request(f"POST {LOGIN}", JSON, "Content-Length: 16385"))
        answer = connection.answer()

    assert answer is not None
    assert_problem(answer, "content-too-large")


def test_an_answer_to_head_is_a_head(proxied_server: ServedApp) -> None:
    with proxied_server.connect() as connection:
        connection.send(request("HEAD /livez", LAST))
        data = b"".join(iter(lambda: connection.socket.recv(65_536), b""))

    assert data.startswith(b"HTTP/1.1 405 ")
    assert data.endswith(b"\r\n\r\n")
