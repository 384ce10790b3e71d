"""How uvicorn is started, and how many connections each of its processes takes."""

import resource
from functools import partial
from typing import Any, Final

from gatehouse.common.presentation.http.connection import ConnectionLimits, HttpConnection
from gatehouse.common.settings import (
    AppSettings,
    ConfigError,
    HttpSettings,
    PostgresSettings,
    Settings,
    UvicornSettings,
)

_MOST: Final = 10_000
_OTHER_FILES: Final = 64
"""Files that a server process needs beside its connections: sockets to listen on, logs, libraries, what it serves."""


def server_options(settings: Settings) -> dict[str, Any]:
    """As `uvicorn.run` takes them."""
    uvicorn = settings[UvicornSettings]
    return {
        "host": uvicorn.host,
        "port": uvicorn.port,
        "workers": uvicorn.workers,
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
    """What uvicorn calls for each connection. It can be pickled, so that each server process gets it."""
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
