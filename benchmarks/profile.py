"""Where the time of one authenticated list goes, layer by layer: `.venv/bin/python -m benchmarks.profile`.

With METRICS=1 it is measured as it is where `metrics.port` is set, with ACCESS=1 with the access log, and with the
variables of OpenTelemetry as it is where they ask for tracing.

The application is called in this process, without a server, and sampled by a CPU timer: unlike a tracing profiler that
does not make the layers of many small functions look slower than they are.
"""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from types import FrameType
from typing import Final

import uvloop
from starlette.types import ASGIApp, Message, Scope

from benchmarks.database import JWT_SECRET, PASSWORD_PEPPER, BenchmarkDatabase, embedded_server, prepare_database
from gatehouse.accounts.settings import JwtSettings, PasswordSettings
from gatehouse.common.application.measured_use_cases import measure
from gatehouse.common.application.metrics import NO_METRICS
from gatehouse.common.application.use_case import surrounded
from gatehouse.common.infrastructure.metrics.shared_metrics import SharedMetrics
from gatehouse.common.settings import (
    AppSettings,
    CookieSettings,
    Environment,
    LogLevel,
    LogSettings,
    PostgresSettings,
    Settings,
)
from gatehouse.setup.app import create_tuned_app
from gatehouse.setup.logs import configure_logs
from gatehouse.setup.metrics import series_of
from gatehouse.setup.modules import MODULES

REQUESTS: Final = int(os.environ.get("REQUESTS", "20000"))
CALLERS: Final = 16
SAMPLE_SECONDS: Final = 0.0005
# The first that matches a frame, from the innermost outwards, names the layer.
LAYERS: Final = (
    ("psycopg_pool", "connection pool"),
    ("psycopg", "driver: psycopg"),
    ("/jwt/", "token: PyJWT"),
    ("pydantic", "validation and JSON: pydantic"),
    ("dishka", "dependency injection: dishka"),
    ("structlog", "logging: structlog"),
    ("uuid6", "request id: uuid6"),
    ("fastapi", "framework: FastAPI"),
    ("starlette", "framework: Starlette"),
    ("/presentation/", "Gatehouse: presentation"),
    ("/infrastructure/", "Gatehouse: infrastructure"),
    ("/application/", "Gatehouse: application and domain"),
    ("/domain/", "Gatehouse: application and domain"),
)


def layer_of(frame: FrameType | None) -> str:
    while frame is not None:
        name = frame.f_code.co_filename
        for part, layer in LAYERS:
            if part in name:
                return layer
        frame = frame.f_back
    return "event loop"


async def call(app: ASGIApp, scope: Scope) -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        assert message.get("status", 200) == 200

    await app(dict(scope), receive, send)


async def call_in_parallel(app: ASGIApp, scope: Scope, requests: int) -> None:
    """One caller alone would mostly measure how long a sleeping database takes to wake up."""

    async def call_again_and_again() -> None:
        for _ in range(requests // CALLERS):
            await call(app, scope)

    await asyncio.gather(*(call_again_and_again() for _ in range(CALLERS)))


def settings_of(database: BenchmarkDatabase) -> Settings:
    return Settings(
        AppSettings(environment=Environment.TEST),
        CookieSettings(secure=False),
        PostgresSettings(url=database.server_url, pool_size=CALLERS),
        JwtSettings(secret=JWT_SECRET),
        PasswordSettings(pepper=PASSWORD_PEPPER),
        LogSettings(level=LogLevel.WARNING, access=bool(os.environ.get("ACCESS"))),
    )


def list_scope(database: BenchmarkDatabase) -> Scope:
    """The request: an authenticated list."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/api/v1/users/",
        "raw_path": b"/api/v1/users/",
        "query_string": b"limit=20",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1:8000"), (b"cookie", b"session=" + database.token.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }


@asynccontextmanager
async def running_app(database: BenchmarkDatabase) -> AsyncIterator[ASGIApp]:
    settings = settings_of(database)
    configure_logs(settings[LogSettings])
    metrics = SharedMetrics(series_of(MODULES)).take(0) if os.environ.get("METRICS") else None
    app = create_tuned_app(settings, metrics or NO_METRICS)
    with surrounded(MODULES.use_cases, measure(metrics)) if metrics else nullcontext():
        async with app.router.lifespan_context(app):
            yield app


async def sample(database: BenchmarkDatabase) -> None:
    scope = list_scope(database)
    samples: Counter[str] = Counter()
    async with running_app(database) as app:
        await call_in_parallel(app, scope, 1000)
        signal.signal(signal.SIGPROF, lambda _, frame: samples.update([layer_of(frame)]))
        began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_SECONDS, SAMPLE_SECONDS)
        await call_in_parallel(app, scope, REQUESTS)
        signal.setitimer(signal.ITIMER_PROF, 0)
        spent = (time.process_time() - began) / REQUESTS * 1e6
    total = sum(samples.values())
    print(f"{spent:.0f} µs of CPU time a request in this process, without the HTTP server\n")
    print("| layer | share | µs |\n|---|---:|---:|")
    for layer, count in samples.most_common():
        print(f"| {layer} | {count / total:.0%} | {spent * count / total:.0f} |")


def main() -> None:
    with embedded_server() as url, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(sample(prepare_database(url, int(os.environ.get("ROWS", "1000000")))))


if __name__ == "__main__":
    main()
