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

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str) -> str:
        """For the superuser."""
        return f"postgresql://{self.superuser}:{self.password}@127.0.0.1:{self.port}/{database}"

    def run(self, program: str, *arguments: str) -> None:
        command = as_unprivileged([programs() / program, "-D", self.data, *arguments])
        # Into a file: the server that pg_ctl leaves running would keep a pipe open.
        with (self.folder / "output").open("a+") as output:
            result = subprocess.run(command, cwd=self.folder, stdout=output, stderr=output, check=False)
            output.seek(0)
            assert result.returncode == 0, output.read()

    def configure(self, text: str) -> None:
        """Counts from the next start on."""
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(f"{text}\n")

    def start(self) -> None:
        self.run("pg_ctl", "start", "--silent", "-w", "-l", str(self.folder / "log"))

    def stop(self, mode: str = "immediate") -> None:
        self.run("pg_ctl", "stop", "--silent", "-m", mode)


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
    *, superuser: str = "gatehouse", password: str = "a-password-of-the-tests"
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
        server.run("initdb", "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync", f"--username={superuser}",
                   f"--pwfile={folder}/password")  # fmt: skip
        server.configure(
            f"listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{folder}'\n"
            "fsync = off\nfull_page_writes = off"
        )
        server.start()
        try:
            with psycopg.connect(make_conninfo(server.url("postgres")), autocommit=True) as connection:
                connection.execute(f'CREATE DATABASE "{superuser}"')
            yield server
        finally:
            server.stop()
