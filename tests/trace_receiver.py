"""Whoever collects traces: a server that takes OTLP over HTTP, in protobuf."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_KINDS = {1: "internal", 2: "server", 3: "client"}


@dataclass(frozen=True)
class ReceivedSpan:
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    seconds: float
    is_error: bool
    attributes: dict[str, Any]


@dataclass
class TraceReceiver:
    port: int = 0
    answers: bool = True
    """Otherwise it takes what comes, and says nothing."""
    bodies: list[bytes] = field(default_factory=list)
    left: Event = field(default_factory=Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[ExportTraceServiceRequest]:
        return [ExportTraceServiceRequest.FromString(body) for body in self.bodies]

    @property
    def resources(self) -> list[dict[str, Any]]:
        return [_values(spans.resource.attributes) for request in self.requests for spans in request.resource_spans]

    @property
    def spans(self) -> list[ReceivedSpan]:
        return [
            ReceivedSpan(
                span.name,
                _KINDS[span.kind],
                span.trace_id.hex(),
                span.span_id.hex(),
                span.parent_span_id.hex(),
                (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                span.status.code == span.status.STATUS_CODE_ERROR,
                _values(span.attributes),
            )
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in sorted(scope.spans, key=lambda span: span.start_time_unix_nano)
        ]

    def tree(self, root: str) -> list[str]:
        """The request of this name, and what it did, in order: each with its depth."""
        [span] = [span for span in self.spans if span.name == root]
        return [*self._branch(span, "")]

    def _branch(self, span: ReceivedSpan, indent: str) -> Iterator[str]:
        yield f"{indent}{span.kind} {span.name}"
        for child in self.spans:
            if (child.trace_id, child.parent_id) == (span.trace_id, span.span_id):
                yield from self._branch(child, f"{indent}  ")


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@contextmanager
def receive_traces(*, answers: bool = True) -> Iterator[TraceReceiver]:
    receiver = TraceReceiver(answers=answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            receiver.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            if not receiver.answers:
                receiver.left.wait(60)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.left.set()
        server.shutdown()
        server.server_close()
        thread.join()
