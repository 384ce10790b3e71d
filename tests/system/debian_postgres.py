"""Debian's PostgreSQL, over TCP and with passwords, as in production."""

import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from tests.system.processes import free_port

OWNER = "postgres"
"""PostgreSQL does not run as root; Debian's package has made this user."""


@dataclass(frozen=True)
class DebianPostgres:
    folder: Path
    port: int
    superuser: str
    password: str

    def url(self, database: str) -> str:
        """For the superuser."""
        return f"postgresql://{self.superuser}:{self.password}@127.0.0.1:{self.port}/{database}"


def programs() -> Path:
    """The newest that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    assert found, "PostgreSQL is missing: apt-get install postgresql-15"
    return found[-1].parent


def as_unprivileged(command: Sequence[str | Path], user: str = OWNER) -> list[str | Path]:
    """For programs that do not run as root."""
    if os.geteuid() != 0:
        return list(command)
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]


@contextmanager
def debian_postgres(
    *, superuser: str = "gatehouse", password: str = "a password of the tests"
) -> Iterator[DebianPostgres]:
    """On a free port, with a database named as its superuser."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-postgres-") as name:
        folder, port = Path(name), free_port()
        (folder / "password").write_text(password)
        if os.geteuid() == 0:
            user = pwd.getpwnam(OWNER)
            for path in (folder, folder / "password"):
                os.chown(path, user.pw_uid, user.pw_gid)
        server = DebianPostgres(folder, port, superuser, password)
        _run(server, "initdb", "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync", f"--username={superuser}",
             f"--pwfile={folder}/password")  # fmt: skip
        options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off -c full_page_writes=off"
        _run(server, "pg_ctl", "start", "--silent", "-w", "-l", str(folder / "log"), "-o", options)
        try:
            with psycopg.connect(make_conninfo(server.url("postgres")), autocommit=True) as connection:
                connection.execute(f'CREATE DATABASE "{superuser}"')
            yield server
        finally:
            _run(server, "pg_ctl", "stop", "--silent", "-m", "immediate")


def _run(server: DebianPostgres, program: str, *arguments: str) -> None:
    command = as_unprivileged([programs() / program, "-D", server.folder / "data", *arguments])
    # Into a file: the server that pg_ctl leaves running would keep a pipe open.
    with (server.folder / "output").open("a+") as output:
        result = subprocess.run(command, cwd=server.folder, stdout=output, stderr=output, check=False)
        output.seek(0)
        assert result.returncode == 0, output.read()
