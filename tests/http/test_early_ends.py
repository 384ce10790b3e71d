"""Clients that end their side, or the whole connection, before the answer has gone out."""

import logging
import socket
import struct
from collections.abc import Iterator

import pytest

from gatehouse.common.settings import Settings
from tests.http.served_app import Connection, ServedApp, logged_lines, request, serve_app

TIMES = 40
HEAD = request("HEAD /livez")
ASKING = request(
    "POST /api/v1/account/signup", "Content-Type: application/json", "Content-Length: 9", "Expect: 100-continue"
)
CHUNKED = ("Content-Type: application/json", "Transfer-Encoding: chunked", "Expect: 100-continue")


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[ServedApp]:
    with serve_app(settings) as server:
        yield server


def received_until_the_end(connection: Connection) -> bytes:
    return b"".join(iter(lambda: connection.socket.recv(65_536), b""))


@pytest.mark.parametrize(("message", "beginning"), [(HEAD, b"HTTP/1.1 "), (ASKING, b"HTTP/1.1 100 Continue")])
def test_who_sends_nothing_more_is_answered_all_the_same(server: ServedApp, message: bytes, beginning: bytes) -> None:
    for _ in range(TIMES):
        with server.connect() as connection:
            connection.send(message)
            connection.socket.shutdown(socket.SHUT_WR)

            assert received_until_the_end(connection).startswith(beginning)


def test_a_reset_before_the_answers_is_no_error_in_the_log(server: ServedApp) -> None:
    with logged_lines(logging.WARNING) as lines:
        for _ in range(TIMES):
            with server.connect() as connection:
                connection.send(HEAD * 4)
                connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with server.connect() as connection:  # behind the others
            connection.send(request("GET /livez"))
            assert connection.answer() is not None

    assert lines == []


def test_after_a_refusal_nobody_is_told_to_continue(server: ServedApp) -> None:
    with logged_lines(logging.WARNING) as lines:
        for _ in range(TIMES):
            answers = server.answers_to(request("POST /api/v1/account/login", *CHUNKED) + b"zz\r\n")
            assert answers[-1].status_code == 400

    assert lines == []
