"""How uvicorn is started, and how many connections each of its processes takes."""

import resource
import signal
from collections.abc import Collection
from contextlib import nullcontext
from functools import partial
from socket import socket
from typing import Any, Final

import structlog
from uvicorn import Config

from gatehouse.common.application.metrics import NO_METRICS
from gatehouse.common.presentation.http.connection import ConnectionLimits, HttpConnection
from gatehouse.common.settings import (
    AppSettings,
    ConfigError,
    HttpSettings,
    PostgresSettings,
    Settings,
    UvicornSettings,
)
from gatehouse.setup.app import create_tuned_app
from gatehouse.setup.metrics import ServerMetrics
from gatehouse.setup.stoppable_server import MAX_CLOSING_SECONDS, STOP_SIGNALS, StoppableServer
from gatehouse.setup.tracing import find_tracing
from gatehouse.setup.workers import Workers

_MOST: Final = 10_000
_OTHER_FILES: Final = 64
"""Files that a server process needs beside its connections: sockets to listen on, logs, libraries, what it serves."""

_log = structlog.get_logger()


def run_server(
    settings: Settings, options: dict[str, Any], sockets: list[socket], metrics: ServerMetrics | None = None
) -> None:
    """Until a signal tells it to stop. Afterwards signals are ignored: the embedded database is still to be stopped."""
    for listener in sockets:
        host, port, *_ = listener.getsockname()
        _log.info("listening", url=f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
    find_tracing()  # imported before the fork, so that workers share it
    uvicorn = settings[UvicornSettings]
    if uvicorn.workers == 1:
        _make_server(settings, options, metrics, STOP_SIGNALS, 0).run(sockets)
        return
    Workers(
        number=uvicorn.workers,
        make_server=partial(_make_server, settings, options, metrics, [signal.SIGTERM]),
        sockets=sockets,
        stop_seconds=uvicorn.drain_seconds + uvicorn.grace_seconds + MAX_CLOSING_SECONDS,
        on_end=metrics.memory.leave if metrics else lambda _: None,
        other_sockets=metrics.sockets if metrics else [],
    ).run()


def _make_server(
    settings: Settings,
    options: dict[str, Any],
    metrics: ServerMetrics | None,
    signals: Collection[signal.Signals],
    place: int,
) -> StoppableServer:
    uvicorn = settings[UvicornSettings]
    own = metrics.memory.take(place) if metrics else None
    return StoppableServer(
        Config(create_tuned_app(settings, own or NO_METRICS), **options),
        drain_seconds=uvicorn.drain_seconds,
        grace_seconds=uvicorn.grace_seconds,
        signals=signals,
        beside=partial(metrics.serve, own) if metrics and own else nullcontext,
    )


def server_options(settings: Settings) -> dict[str, Any]:
    """As uvicorn takes them."""
    return {
        "loop": "uvloop",
        "http": _http_connection(settings),
        "ws": "none",
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,  # the application itself knows which proxies to trust
    }


def _http_connection(settings: Settings) -> partial[HttpConnection]:
    """What uvicorn calls for each connection."""
    http = settings[HttpSettings]
    limits = ConnectionLimits(
        connections=_max_connections(settings),
        request_seconds=http.request_seconds,
        keep_alive_seconds=http.keep_alive_seconds,
    )
    return partial(HttpConnection, limits=limits, hsts=settings[AppSettings].is_production)


def _max_connections(settings: Settings) -> int:
    """Below the limit of open files: beyond it, everyone's connection is cut off, and nothing is logged."""
    postgres, configured = settings[PostgresSettings], settings[HttpSettings].max_connections
    max_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if max_files == resource.RLIM_INFINITY:
        return configured or _MOST
    pools = 2 if postgres.replica_url else 1
    available = max_files - pools * postgres.pool_size - _OTHER_FILES
    if available < max(configured, 1):
        raise ConfigError(
            f"http.max_connections: {max_files} open files leave room for {max(available, 0)}; "
            "allow more (ulimit -n), or make it or postgres.pool_size smaller."
        )
    return configured or min(available, _MOST)
