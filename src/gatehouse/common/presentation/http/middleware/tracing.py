"""The span of a request (OpenTelemetry). Installed only where tracing is on."""

import re
from typing import Final

import structlog
from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatehouse.common.application.timing import MAY_BE_TRACED
from gatehouse.common.presentation.http.headers import header_values
from gatehouse.common.presentation.http.middleware.host import PROBES

_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_SERVER_ERROR: Final = 500
_W3C: Final = TraceContextTextMapPropagator()


class TracingMiddleware:
    """Continues the trace of a trusted proxy (W3C Trace Context). Anyone else's is only logged, as `client_trace_id`:
    whoever could choose it could have every request recorded, or two of them look like one.

    The span is named by the route. Path, query and headers may hold what belongs in no span.
    """

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        method, state = scope["method"], scope["state"]
        span = self._tracer.start_span(method, _parent_of(scope), SpanKind.SERVER)
        trace_id = format_trace_id(span.get_span_context().trace_id)
        structlog.contextvars.bind_contextvars(trace_id=trace_id)
        token = contexts.attach(trace.set_span_in_context(span))
        try:
            if span.is_recording():
                MAY_BE_TRACED.set(True)
                span.set_attributes({"http.request.method": method, "gatehouse.request_id": state["request_id"]})
                await self._app(scope, receive, _note_status(span, send))
            else:
                await self._app(scope, receive, send)
        except BaseException as error:
            if isinstance(error, Exception):  # the answer to which is made further out
                span.set_attribute("http.response.status_code", _SERVER_ERROR)
            span.set_attribute("error.type", type(error).__qualname__)
            span.set_status(Status(StatusCode.ERROR))
            raise
        finally:
            contexts.detach(token)
            if (route := scope.get("route")) is not None:
                span.update_name(f"{method} {route.path}")
                span.set_attribute("http.route", route.path)
            span.end()


def _note_status(span: Span, send: Send) -> Send:
    async def send_and_note(message: Message) -> None:
        if message["type"] == "http.response.start":
            span.set_attribute("http.response.status_code", message["status"])
            if message["status"] >= _SERVER_ERROR:
                span.set_attribute("error.type", str(message["status"]))
                span.set_status(Status(StatusCode.ERROR))
        await send(message)

    return send_and_note


def _parent_of(scope: Scope) -> Context:
    sent = header_values(scope, b"traceparent")
    parent = _TRACEPARENT.fullmatch(sent[0]) if len(sent) == 1 else None
    if parent is None:
        return Context()
    if not scope["state"].get("is_from_trusted_proxy"):
        structlog.contextvars.bind_contextvars(client_trace_id=parent[1])
        return Context()
    states = ",".join(header_values(scope, b"tracestate"))
    return _W3C.extract({"traceparent": sent[0], "tracestate": states}, Context())
