"""The application behind a real server, and a client that sends whatever bytes it likes."""

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import httpx
import uvicorn
from dishka import Provider

from gatehouse.common.settings import Settings, UvicornSettings
from gatehouse.setup.app import create_app
from gatehouse.setup.server import server_options
from gatehouse.setup.sockets import listening_sockets
from gatehouse.testing.under_test import modules_under_test

PATIENCE_SECONDS = 10
"""How long a test waits for what it expects, before it fails."""
LAST = "Connection: close"


@dataclass
class Connection:
    socket: socket.socket
    _received: bytes = field(default=b"", init=False)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> httpx.Response | None:
        """The next one; None where the server has closed the connection instead."""
        while b"\r\n\r\n" not in self._received:
            if not self._receive():
                assert not self._received, "the answer is incomplete"
                return None
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        status_line, *lines = head.split(b"\r\n")
        headers = httpx.Headers([(name, value) for name, _, value in (line.partition(b": ") for line in lines)])
        length = int(headers.get("content-length", 0))
        while len(self._received) < length:
            assert self._receive(), "the answer is incomplete"
        body, self._received = self._received[:length], self._received[length:]
        return httpx.Response(int(status_line.split()[1]), headers=headers, content=body)

    def remaining_answers(self) -> list[httpx.Response]:
        """Until the server closes the connection."""
        return list(iter(self.answer, None))

    def is_closed_without_a_word(self) -> bool:
        """A reset, where what was sent last came too late to be read."""
        try:
            return not self._received and not self._receive()
        except ConnectionResetError:
            return True

    def _receive(self) -> bool:
        data = self.socket.recv(65_536)
        self._received += data
        return bool(data)


@dataclass
class ServedApp:
    port: int

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS) as connected:
            yield Connection(connected)

    def answers_to(self, data: bytes) -> list[httpx.Response]:
        """All of them, until the server closes the connection."""
        with self.connect() as connection:
            connection.send(data)
            return connection.remaining_answers()


@contextmanager
def serve_app(settings: Settings, *parts: Provider, host: str = "127.0.0.1", **limits: float) -> Iterator[ServedApp]:
    """Started as `gatehouse serve` starts it, in a thread of its own; `limits` replace those of the settings."""
    options = server_options(settings)
    connection = options["http"]
    options["http"] = partial(connection, limits=replace(connection.keywords["limits"], **limits))
    server = uvicorn.Server(uvicorn.Config(create_app(settings, *parts, modules=modules_under_test()), **options))
    with listening_sockets(UvicornSettings(host=host, port=0)) as sockets:
        thread = threading.Thread(target=server.run, args=(sockets,))
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "the server did not start"
                time.sleep(0.005)
            yield ServedApp(sockets[0].getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def logged_lines(level: int) -> Iterator[list[str]]:
    """What libraries log meanwhile, from this level on."""
    lines: list[str] = []
    handler = logging.Handler(level)
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield lines
    finally:
        root.removeHandler(handler)


def request(line: str, *fields: str, body: bytes = b"") -> bytes:
    """`line` is method and target; a Content-Length goes with a body unless the fields say how long it is."""
    framing = [f"Content-Length: {len(body)}"] if body and not _is_framed(fields) else []
    lines = [f"{line} HTTP/1.1", "Host: gatehouse.test", *framing, *fields]
    return "".join(f"{text}\r\n" for text in (*lines, "")).encode() + body


def _is_framed(fields: tuple[str, ...]) -> bool:
    return any(text.lower().startswith(("content-length:", "transfer-encoding:")) for text in fields)
