"""One PostgreSQL for the run, with a migrated database that serves as the template of all others.

The process that starts the workers of pytest-xdist starts it, or the only process, in a thread: meanwhile the workers
start, and tests are collected.
"""

import os
import shutil
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg

from gatehouse.common.infrastructure.database_connection import explain_no_connection
from gatehouse.common.infrastructure.embedded_postgres import embedded_postgres
from gatehouse.common.infrastructure.grants import ensure_role
from gatehouse.common.infrastructure.migration_lines import MigrationError
from gatehouse.common.infrastructure.postgres_programs import EmbeddedPostgresError
from gatehouse.testing.database import SERVER_ROLE, NoTableError, prepare_schema

OTHER_SERVER: Final = "GATEHOUSE_TEST_POSTGRES_URL"
"""Names, to a superuser, a server to be used instead of an embedded one. What the tests make there stays."""
TEMPLATE: Final = "gatehouse_template"

_URL_FILE: Final = "GATEHOUSE_TEST_SERVER_URL_FILE"
"""How the process that starts the server tells the workers where it is. They are there before it is."""
_ROOM_FOR_CLUSTERS: Final = 2 * 1024**3


class NoServerError(Exception):
    """One line for the author."""


class RunServer:
    """Of this run of pytest."""

    def __init__(self) -> None:
        self._running = ExitStack()
        self._thread = ThreadPoolExecutor(1, "PostgreSQL of the tests")
        self._started: Future[None] | None = None

    def start(self) -> None:
        file = make_folder(self._running) / "url"
        os.environ[_URL_FILE] = str(file)
        self._started = self._thread.submit(self._start, file)

    def wait(self) -> None:
        """Until it has started. Raises NoServerError."""
        if self._started is None:
            return
        try:
            self._started.result()
        except psycopg.OperationalError as error:
            raise NoServerError(explain_no_connection(error)) from None
        except (EmbeddedPostgresError, MigrationError, NoTableError) as error:
            raise NoServerError(str(error)) from None

    def stop(self) -> None:
        self._thread.shutdown()
        self._running.close()

    def _start(self, file: Path) -> None:
        url = os.environ.get(OTHER_SERVER)
        if url is None:
            url = self._running.enter_context(embedded_postgres(file.with_name("postgres")))
            trust_the_disk(url)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {TEMPLATE}")
            connection.execute(f"CREATE DATABASE {TEMPLATE}")
        ensure_role(url, SERVER_ROLE)
        prepare_schema(with_database(url, TEMPLATE))
        file.write_text(url)


def server_url() -> str:
    """As its superuser. For tests and fixtures: it is there before the first of them."""
    return Path(os.environ[_URL_FILE]).read_text()


def with_database(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def make_folder(until: ExitStack) -> Path:
    """For this process, where clusters come and go fast."""
    return Path(until.enter_context(tempfile.TemporaryDirectory(prefix="gatehouse-tests-", dir=_memory())))


def trust_the_disk(url: str) -> None:
    """The data lives no longer than this run, so nothing needs to survive a crash."""
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")


def _memory() -> str | None:
    """A folder that is no disk, where there is room in it."""
    memory = Path("/dev/shm")  # noqa: S108  # for a folder of one's own in it
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > _ROOM_FOR_CLUSTERS else None
