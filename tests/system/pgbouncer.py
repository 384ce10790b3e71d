"""A real PgBouncer in transaction mode, before a PostgreSQL of its own."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import make_conninfo

from gatehouse.testing.database import SERVER_ROLE
from tests.integration.replication import Server

SERVER_CONNECTIONS = 2
"""Fewer than a pool has clients, so that clients share them."""
_PATIENCE_SECONDS = 10
_CONFIG = """\
[databases]
* = host={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {size}
{further}
"""


@contextmanager
def run_pgbouncer(server: Server, *further: str) -> Iterator[str]:
    """Yields the URL that leads the server's role through it. `further` are lines of its configuration."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "pgbouncer is missing: apt-get install pgbouncer"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="gatehouse-tests-") as name:
        folder, owner = Path(name), server.data.stat()
        config = _CONFIG.format(
            server=server.folder, port=port, folder=folder, size=SERVER_CONNECTIONS, further="\n".join(further)
        )
        (folder / "config").write_text(config)
        (folder / "users").write_text(f'"{SERVER_ROLE}" ""\n"postgres" ""\n')
        folder.chmod(0o755)
        log = (folder / "log").open("w")
        is_root = os.geteuid() == 0  # which it does not run as, so it runs as the server does
        process = subprocess.Popen(
            [program, folder / "config"],
            stdout=log,
            stderr=log,
            user=owner.st_uid if is_root else None,
            group=owner.st_gid if is_root else None,
            extra_groups=() if is_root else None,
        )
        url = make_conninfo(host="127.0.0.1", port=port, user=SERVER_ROLE, dbname="postgres")
        try:
            _wait_until_open(process, port)
            yield url
        finally:
            process.terminate()
            process.wait(_PATIENCE_SECONDS)
            log.close()


def _wait_until_open(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        assert process.poll() is None, "pgbouncer did not start"
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.01)
        else:
            return
