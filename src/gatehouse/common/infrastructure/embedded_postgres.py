"""A real PostgreSQL inside the project, for development and tests: nothing to install, nothing to start by hand."""

import fcntl
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from gatehouse.common.infrastructure.postgres_cluster import PostgresCluster, ensure_owned
from gatehouse.common.infrastructure.postgres_programs import EmbeddedPostgresError

_WATCH_SECONDS: Final = 1.0


@contextmanager
def embedded_postgres(data_dir: Path) -> Iterator[str]:
    """Yields the server's URL. Processes share one server per data directory; the last one to leave stops it. A server
    that is killed meanwhile is started again, under the same URL.

    Each process that uses the server holds a shared lock on a file, which the kernel releases even if it is killed.
    Another file is locked while one of them starts or stops the server. Signals wait meanwhile: a start that is broken
    off would leave a server that nobody finds, and that keeps the next one from starting.
    """
    data_dir = data_dir.resolve()  # one folder has one lock, whichever link leads to it
    with (
        _open_lock(data_dir, "lock") as users,
        _open_lock(data_dir, "starting.lock") as starting,
        ExitStack() as at_the_end,
    ):
        fcntl.flock(starting, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)
        cluster = PostgresCluster(data_dir)
        with _signals_blocked():
            url = _start(cluster, data_dir)
            at_the_end.callback(_stop_if_last, cluster, users, starting)
            fcntl.flock(starting, fcntl.LOCK_UN)
        with _keep_running(cluster, data_dir):
            yield url


def _start(cluster: PostgresCluster, data_dir: Path) -> str:
    try:
        return cluster.start()
    except OSError as error:
        reason = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
        raise EmbeddedPostgresError(f"The embedded PostgreSQL in {data_dir} did not start ({reason}).") from None


def _stop_if_last(cluster: PostgresCluster, users: int, starting: int) -> None:
    with _signals_blocked():
        fcntl.flock(starting, fcntl.LOCK_EX)
        if _is_last(users):
            cluster.stop()


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """They take effect afterwards. PostgreSQL's programs inherit that they are blocked, and its server undoes it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _keep_running(cluster: PostgresCluster, data_dir: Path) -> Iterator[None]:
    """Tries for as long as it takes: a disk that is full, say, may have space again."""
    leaves = threading.Event()

    def watch() -> None:
        while not leaves.wait(_WATCH_SECONDS):
            with suppress(OSError, EmbeddedPostgresError):
                if cluster.is_dead():
                    with _open_lock(data_dir, "starting.lock") as starting:
                        fcntl.flock(starting, fcntl.LOCK_EX)
                        cluster.start()

    watcher = threading.Thread(target=watch, name="embedded PostgreSQL", daemon=True)
    with _signals_blocked():  # in the thread for ever: signals are the main thread's, which may wait for them
        watcher.start()
    try:
        yield
    finally:
        leaves.set()
        watcher.join()


@contextmanager
def _open_lock(data_dir: Path, suffix: str) -> Iterator[int]:
    path = data_dir.with_name(f"{data_dir.name}.{suffix}")
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)  # whatever the umask
        lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise EmbeddedPostgresError(f"{path} cannot be opened ({error.strerror}): see postgres.data_dir.") from None
    try:
        ensure_owned(path, os.geteuid())
        yield lock
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)  # closing is not enough: a worker forked meanwhile has it open, too
        os.close(lock)


def _is_last(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
