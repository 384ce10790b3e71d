"""Spans of use cases and statements, and who collects them (OpenTelemetry). Imported only where tracing is on."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial, wraps
from importlib.metadata import version
from threading import Thread
from typing import Any, Final, Self

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from psycopg import AsyncConnection, AsyncCursor

from gatehouse.common.application.timing import MAY_BE_TRACED
from gatehouse.common.application.use_case import Call, Surround, surrounded
from gatehouse.common.domain.errors import GatehouseError
from gatehouse.common.infrastructure.database_connection import ServerConnection

CLOSING_THREAD: Final = "tracing is closed"
_FLUSH_SECONDS: Final = 0.5
"""For what is still to be sent at the end. Whoever collects it may be away."""


class Tracing:
    """To be made in the process that serves: the thread that sends spans would not survive a fork."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self.tracer = provider.get_tracer("gatehouse", version("gatehouse"))

    def make_global(self) -> None:
        """Modules from outside make spans of their own with it."""
        trace.set_tracer_provider(self._provider)

    @asynccontextmanager
    async def observe(self, use_cases: Iterable[type]) -> AsyncIterator[None]:
        """Connections to the database are observed that are opened meanwhile."""
        with surrounded(use_cases, _trace_calls(self.tracer)), _traced_statements(self.tracer):
            yield
        end = Thread(target=self._provider.shutdown, name=CLOSING_THREAD, daemon=True)
        end.start()
        await asyncio.to_thread(end.join, _FLUSH_SECONDS)


def open_tracing() -> Tracing:
    """As the standard variables `OTEL_…` say: where to, which of the requests, under which name."""
    resource = Resource.create({"service.version": version("gatehouse"), "process.pid": os.getpid()})
    if str(resource.attributes["service.name"]).startswith("unknown_service"):
        resource = resource.merge(Resource({"service.name": "gatehouse"}))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracing(provider)


def _trace_calls(tracer: Tracer) -> Surround:
    def trace_call(name: str, call: Call) -> Call:
        @wraps(call)
        async def call_in_span(*args: object, **kwargs: object) -> object:
            if not MAY_BE_TRACED.get() or not trace.get_current_span().is_recording():
                return await call(*args, **kwargs)
            # An exception's message and traceback may quote anything; its kind is enough.
            with (
                tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as span,
                _noted_errors(span),
            ):
                return await call(*args, **kwargs)

        return call_in_span

    return trace_call


@contextmanager
def _traced_statements(tracer: Tracer) -> Iterator[None]:
    """Of the requests that are traced. The text of a statement has places for its parameters, and these are no part of
    the span.
    """

    class TracedCursor(AsyncCursor[Any]):
        async def execute(self, query: Any, *args: Any, **options: Any) -> Self:  # the driver's
            if not MAY_BE_TRACED.get():
                return await super().execute(query, *args, **options)
            return await _in_span(tracer, query, lambda: super(TracedCursor, self).execute(query, *args, **options))

        async def executemany(self, query: Any, *args: Any, **options: Any) -> None:  # likewise
            await _in_span(tracer, query, lambda: super(TracedCursor, self).executemany(query, *args, **options))

    async def commit(self: ServerConnection) -> None:
        await _in_span(tracer, "COMMIT", partial(AsyncConnection.commit, self))

    ServerConnection.cursors = TracedCursor
    ServerConnection.commit = commit  # type: ignore[method-assign, assignment]  # until the block ends
    try:
        yield
    finally:
        ServerConnection.cursors = AsyncCursor
        del ServerConnection.commit


async def _in_span[Answer](tracer: Tracer, query: object, execute: Callable[[], Awaitable[Answer]]) -> Answer:
    if not MAY_BE_TRACED.get() or not trace.get_current_span().is_recording():
        return await execute()
    text = query if isinstance(query, str) else ""
    operation = (text.split(maxsplit=1) or ["statement"])[0].upper()
    span = tracer.start_span(operation, kind=SpanKind.CLIENT)
    span.set_attributes({"db.system.name": "postgresql", "db.operation.name": operation, "db.query.text": text})
    try:
        with _noted_errors(span):
            return await execute()
    finally:
        span.end()


@contextmanager
def _noted_errors(span: Span) -> Iterator[None]:
    """A refusal is no fault of the service."""
    try:
        yield
    except BaseException as error:
        span.set_attribute("error.type", type(error).__qualname__)
        if not isinstance(error, GatehouseError):
            span.set_status(Status(StatusCode.ERROR))
        raise
