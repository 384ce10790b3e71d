"""Two real servers: a primary and its streaming replica."""

import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, LiteralString

import psycopg

from gatehouse.common.infrastructure.postgres_programs import PostgresPrograms
from tests.integration.conftest import until

_SETTINGS: Final = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_wal_senders": "3",
    "wal_retrieve_retry_interval": "20ms",
}


@dataclass(frozen=True)
class Server:
    """It listens on a socket in its folder only."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.folder}"

    @property
    def is_running(self) -> bool:
        return (self.data / "postmaster.pid").exists()

    def start(self) -> None:
        options = ("-w", "-D", self.data, "-l", self.folder / "log", "-o", f"-h '' -k {self.folder}")
        self.run("pg_ctl", "start", *options)

    def stop(self) -> None:
        """As if it had crashed."""
        self.run("pg_ctl", "stop", "-w", "-D", self.data, "-m", "immediate")

    def run(self, program: str, *arguments: str | Path) -> None:
        PostgresPrograms().run(self.folder, program, *arguments, cwd=self.folder)

    def fetch_value(self, statement: LiteralString, *values: object) -> object:
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(statement, values).fetchone()
        return row and row[0]

    def execute_statement(self, statement: LiteralString) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)


@dataclass(frozen=True)
class Pair:
    primary: Server
    standby: Server

    @property
    def url(self) -> str:
        """Leads to whichever is the primary."""
        hosts = f"{self.primary.folder},{self.standby.folder}"
        return f"postgresql://postgres@/postgres?host={hosts}&target_session_attrs=read-write"

    async def wait_until_replayed(self) -> None:
        """Waits until the standby has replayed all that the primary has committed so far."""
        position = self.primary.fetch_value("SELECT pg_current_wal_flush_lsn()::text")

        async def is_replayed() -> bool:
            return self.standby.fetch_value("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", position) is True

        await until(is_replayed)

    @asynccontextmanager
    async def pause_replay(self) -> AsyncIterator[None]:
        """The standby answers queries, but its replay is paused."""

        async def is_paused() -> bool:
            return self.standby.fetch_value("SELECT pg_get_wal_replay_pause_state()") == "paused"

        self.standby.fetch_value("SELECT pg_wal_replay_pause()")
        try:
            await until(is_paused)
            yield
        finally:
            self.standby.fetch_value("SELECT pg_wal_replay_resume()")

    @asynccontextmanager
    async def cut_off_standby(self) -> AsyncIterator[None]:
        """The standby answers queries, but is disconnected from its primary."""

        async def is_alone() -> bool:
            return self.standby.fetch_value("SELECT count(*) FROM pg_stat_wal_receiver") == 0

        conninfo = psycopg.sql.Literal(self.standby.fetch_value("SHOW primary_conninfo"))
        self.standby.execute_statement("ALTER SYSTEM SET primary_conninfo = ''")
        self.standby.fetch_value("SELECT pg_reload_conf()")
        try:
            await until(is_alone)
            yield
        finally:
            with psycopg.connect(self.standby.url, autocommit=True) as connection:
                connection.execute(psycopg.sql.SQL("ALTER SYSTEM SET primary_conninfo = {}").format(conninfo))
            self.standby.fetch_value("SELECT pg_reload_conf()")

    @asynccontextmanager
    async def stop_standby(self) -> AsyncIterator[None]:
        self.standby.stop()
        try:
            yield
        finally:
            self.standby.start()

    @contextmanager
    def hang_standby(self) -> Iterator[None]:
        """The standby accepts queries, but does not answer them."""
        with psycopg.connect(self.standby.url) as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'gatehouse'"
            ).fetchall()
        pids = [int((self.standby.data / "postmaster.pid").read_text().split()[0]), *(pid for (pid,) in rows)]
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


@contextmanager
def run_server(**settings: str) -> Iterator[Server]:
    """At the end it and its files are removed."""
    with ExitStack() as stack:
        server = Server(stack.enter_context(_folder()))
        options = [part for name, value in (_SETTINGS | settings).items() for part in ("-c", f"{name}={value}")]
        server.run("initdb", "-D", server.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", *options)
        server.start()
        stack.callback(_stop_if_running, server)
        yield server


@contextmanager
def run_pair() -> Iterator[Pair]:
    """Starts both servers."""
    with run_server() as primary, ExitStack() as stack:
        standby = Server(stack.enter_context(_folder()))
        copy = ("-D", standby.data, "-d", primary.url, "-R", "--checkpoint=fast", "-X", "stream", "--no-sync")
        standby.run("pg_basebackup", *copy)
        standby.start()
        stack.callback(_stop_if_running, standby)
        yield Pair(primary, standby)


def _stop_if_running(server: Server) -> None:
    if server.is_running:
        server.stop()


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gatehouse-tests-") as name:
        folder = Path(name)
        programs = PostgresPrograms()
        programs.hand_over(folder)
        programs.copy_if_closed(folder)
        yield folder
