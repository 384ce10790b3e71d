"""A connection: what the server itself refuses, before there is a request for the application."""

from asyncio import AbstractEventLoop, BaseTransport, TimerHandle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import httptools
import structlog
from uuid6 import uuid7
from uvicorn import Config
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from gatehouse.common.domain.errors import GatehouseError
from gatehouse.common.presentation.http.errors import BadRequestError, HeadTooLargeError, RequestTimeoutError
from gatehouse.common.presentation.http.joined_writes import JoinedWrites
from gatehouse.common.presentation.http.middleware.request import security_headers
from gatehouse.common.presentation.http.problems import problem_response
from gatehouse.common.presentation.http.request_target import split_target

MAX_HEAD_BYTES: Final = 32 * 1024
"""Also of what surrounds a body: sizes and extensions of its chunks, and trailers."""
MAX_FIELDS: Final = 100
MAX_PIPELINED: Final = 16
_LINGER_SECONDS: Final = 2
"""A client that is still sending must read the refusal before it sees the connection end."""
_SECONDS_BETWEEN_WARNINGS: Final = 10

_log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class ConnectionLimits:
    """Those of a server process, and what it has to say of them."""

    connections: int
    request_seconds: float
    keep_alive_seconds: float
    _turned_away: int = field(default=0, init=False)
    _next_warning: float = field(default=0, init=False)

    def turn_away(self, now: float) -> None:
        """A line for each connection would itself be an attack."""
        self._turned_away += 1
        if now >= self._next_warning:
            _log.warning("too_many_connections", limit=self.connections, turned_away=self._turned_away)
            self._turned_away, self._next_warning = 0, now + _SECONDS_BETWEEN_WARNINGS


class HttpConnection(HttpToolsProtocol):
    """uvicorn's connection, with limits of size, time and number, and strict about where a request ends (ADR 17).

    A refusal ends the connection: what comes behind it is never read as a request.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
        *,
        limits: ConnectionLimits,
        hsts: bool,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self._security_headers = security_headers(hsts=hsts)
        self.timeout_keep_alive = limits.keep_alive_seconds  # type: ignore[assignment]  # only ever given to call_later
        self._in_head = self._in_message = False
        self._head_bytes = self._framing_bytes = 0
        self._unanswered = 0
        """Requests whose head has come, and whose answer is not yet complete."""
        self._is_deaf = False
        """From now on what comes is thrown away."""
        self._error: GatehouseError | None = None
        """Why parsing was stopped, where it was not the parser itself that stopped."""
        self._refusal: GatehouseError | None = None
        """Waits for the answers to the requests before it."""
        self._in_work: RequestResponseCycle | None = None
        """uvicorn knows the last request alone, behind which it may be waiting."""
        self._timer: TimerHandle | None = None
        self._write_timer: TimerHandle | None = None

    # The transport's calls

    def connection_made(self, transport: BaseTransport) -> None:
        self._writes = JoinedWrites(transport, self.loop)  # type: ignore[arg-type]  # uvicorn narrows it
        super().connection_made(self._writes)
        if self.client is not None and "." in self.client[0]:
            # A server that listens on IPv6 sees a client of IPv4 as ::ffff:192.0.2.1.
            self.client = (self.client[0].removeprefix("::ffff:"), self.client[1])
        if len(self.connections) > self._limits.connections:
            self._limits.turn_away(self.loop.time())
            self.transport.abort()
        else:
            self._start_timer(self._limits.request_seconds, self.transport.abort)

    def eof_received(self) -> None:
        self._writes.flush()  # when this returns, the transport below closes itself

    def connection_lost(self, exc: Exception | None) -> None:
        self._writes.drop()
        self._stop_timer()
        self._stop_write_timer()
        self._unset_keepalive_if_required()  # uvicorn leaves it running after an error, and a timer keeps all of this
        super().connection_lost(exc)
        if self._in_work is not None:  # or it would answer, which is an error by now
            self._in_work.disconnected = self._in_work.scope["state"]["client_has_gone"] = True
            self._in_work.message_event.set()

    def data_received(self, data: bytes) -> None:
        try:
            for start in range(0, len(data), MAX_HEAD_BYTES):
                if self._is_deaf:
                    return
                self._parse(data[start : start + MAX_HEAD_BYTES])
        except httptools.HttpParserUpgrade:
            # Ignored, as RFC 9110 (7.8) allows. What comes next may be in another protocol.
            self._is_deaf = True
            self.cycle.keep_alive = False
        except httptools.HttpParserError:
            if not self._is_deaf:
                self._refuse(self._error or BadRequestError())

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_timer = self.loop.call_later(self._limits.keep_alive_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_write_timer()

    def timeout_keep_alive_handler(self) -> None:
        self.transport.abort()  # unlike close(), it does not wait for a client that reads nothing

    # The parser's calls

    def on_message_begin(self) -> None:
        if self._is_deaf:
            raise BadRequestError
        self._unset_keepalive_if_required()
        self._stop_timer()
        super().on_message_begin()
        self._in_head = self._in_message = True
        self._head_bytes = self._framing_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._count_head_bytes(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # a trailer
        self._count_head_bytes(len(name) + len(value) + len(b": \r\n"))
        if len(self.headers) == MAX_FIELDS:
            self._stop_parsing(HeadTooLargeError())
        super().on_header(name, value.rstrip(b" \t"))  # no part of it (RFC 9112, 5); llhttp leaves it there

    def on_headers_complete(self) -> None:
        if self._is_ambiguous() or self._unanswered == MAX_PIPELINED:
            self._stop_parsing(BadRequestError())
        _, self.url = split_target(self.url)
        if self.parser.get_http_version() == "1.0":
            self.expect_100_continue = False  # such a client would take it for the answer (RFC 9110, 10.1.1)
        super().on_headers_complete()
        self._in_head = False
        self._unanswered += 1

    def on_body(self, body: bytes) -> None:
        self._framing_bytes -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_message = False
        self._stop_timer()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._unanswered -= 1
        super().on_response_complete()
        if self.transport.is_closing():  # the client may never read what is still to be written
            self._start_timer(self._limits.keep_alive_seconds, self.transport.abort)
        elif self._refusal is not None and not self._unanswered:
            self._send_refusal(self._refusal)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._in_work = cycle
        super()._start_asgi_task(cycle, app)

    # Parsing within limits

    def _parse(self, data: bytes) -> None:
        scope = self.scope
        self.parser.feed_data(data)
        if not self._in_message:
            return
        if self.scope is scope:  # else the message has only begun with this piece
            self._framing_bytes += len(data)
            if self._framing_bytes > MAX_HEAD_BYTES:
                self._refuse(HeadTooLargeError() if self._in_head else BadRequestError())
                return
        if self._timer is None:
            self._start_timer(self._limits.request_seconds, self._on_late_request)

    def _is_ambiguous(self) -> bool:
        """What llhttp takes, and another server or proxy might read otherwise (RFC 9112, 3.2, 6.1 and 7.1)."""
        version = self.parser.get_http_version()
        hosts, has_body, codings = [], False, []
        for name, value in self.headers:
            if name == b"host":
                hosts.append(value.lower())
            elif name == b"content-length":
                has_body = int(value) > 0
            elif name == b"transfer-encoding":
                codings.append(value.lower())
        if codings and (version == "1.0" or codings != [b"chunked"]):
            return True
        if len(hosts) > 1 or (not hosts and version == "1.1"):
            return True
        authority, _ = split_target(self.url)
        if authority is not None and hosts != [authority.lower()]:
            return True
        has_body = has_body or bool(codings)
        return version not in ("1.0", "1.1") or (has_body and self.parser.should_upgrade())

    def _count_head_bytes(self, count: int) -> None:
        self._head_bytes += count
        if self._head_bytes > MAX_HEAD_BYTES:
            self._stop_parsing(HeadTooLargeError())

    def _stop_parsing(self, error: GatehouseError) -> None:
        self._error = error
        raise error  # the parser makes it an error of its own

    # Time

    def _start_timer(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, then)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _on_late_request(self) -> None:
        self._timer = None
        if self.flow.read_paused:  # it is the request before it that takes its time
            self._start_timer(self._limits.request_seconds, self._on_late_request)
        else:
            self._refuse(RequestTimeoutError())

    # Refusals

    def _refuse(self, error: GatehouseError) -> None:
        self._is_deaf = True
        if self._in_message and not self._in_head:
            if self.cycle.response_started:  # before all of the body has come
                self.cycle.keep_alive = False
                if self.cycle.response_complete:
                    self._end()
                return
            # The application, which waits for the body, is told that the client has gone.
            self.cycle.disconnected = True
            self.cycle.waiting_for_100_continue = False  # or it would be asked for the body all the same
            self.cycle.message_event.set()
            self._unanswered -= 1
        if self._unanswered:
            self._refusal = error
        else:
            self._send_refusal(error)

    def _send_refusal(self, error: GatehouseError) -> None:
        request_id = str(uuid7())
        _log.info("refused", problem=error.slug, ip=self.client[0] if self.client else None, request_id=request_id)
        response = problem_response(error, request_id)
        headers = [
            *self.server_state.default_headers,
            *response.raw_headers,
            *self._security_headers,
            (b"x-request-id", request_id.encode()),
            (b"connection", b"close"),
        ]
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.transport.write(b"%b%b\r\n%b" % (STATUS_LINE[response.status_code], lines, bytes(response.body)))
        self._end()

    def _end(self) -> None:
        self._unset_keepalive_if_required()
        self.transport.write_eof()
        self._start_timer(_LINGER_SECONDS, self.transport.abort)
