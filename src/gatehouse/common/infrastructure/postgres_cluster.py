"""A cluster of PostgreSQL databases in a folder, whose server answers to the folder's owner alone.

It listens on a Unix socket in a private folder, on no port, and the kernel tells it whose process connects.
"""

import os
import pwd
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from subprocess import CalledProcessError
from typing import Final
from urllib.parse import quote

import psycopg

from gatehouse.common.infrastructure.postgres_programs import EmbeddedPostgresError, PostgresPrograms

# A socket's path has some hundred bytes at most, so it does not depend on the path of the data, nor on TMPDIR.
_SOCKETS: Final = Path("/tmp")  # noqa: S108  # the folder that mkdtemp makes there is private
_PREFIX: Final = "gatehouse-"
_OPTIONS: Final = "-h '' -p 5432 -k {0} -c hba_file={0}/pg_hba.conf -c ident_file={0}/pg_ident.conf"


class PostgresCluster:
    """Its methods are for one process at a time."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._programs = PostgresPrograms()

    def start(self) -> str:
        """Gives back the server's URL. Makes the cluster and starts the server, unless they are there."""
        if self._data_dir.exists():
            ensure_owned(self._data_dir, self._programs.uid)
        before = self._socket_folder()
        if before is not None and _answers(_url(before)):
            return _url(before)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_SOCKETS))
        try:
            self._start_in(folder)
        except BaseException:
            shutil.rmtree(folder)
            raise
        if before is not None:  # of a server that was killed
            _remove(before)
        return _url(folder)

    def stop(self) -> None:
        folder = self._socket_folder()
        if folder is None:
            return
        # If it has been killed, or does not stop in time, the next start sees to it.
        with suppress(CalledProcessError):
            self._programs.run(folder, "pg_ctl", "stop", "-w", cwd=self._data_dir)
            _remove(folder)

    def _start_in(self, folder: Path) -> None:
        # Who may connect: this user, as any role, and nobody else.
        (folder / "pg_hba.conf").write_text("local all all peer map=owner\n")
        (folder / "pg_ident.conf").write_text(f'owner "{pwd.getpwuid(os.geteuid()).pw_name}" all\n')
        self._programs.hand_over(*folder.iterdir(), folder)
        self._programs.copy_if_closed(folder)
        if not (self._data_dir / "PG_VERSION").exists():
            self._create(folder)
        arguments = ("start", "-w", "-l", "log", "-o", _OPTIONS.format(folder))
        try:
            self._programs.run(folder, "pg_ctl", *arguments, cwd=self._data_dir)
        except CalledProcessError:
            raise EmbeddedPostgresError(
                f"The embedded PostgreSQL in {self._data_dir} did not start; its log is {self._data_dir / 'log'}."
            ) from None

    def _create(self, folder: Path) -> None:
        """Under another name first, so that a process that is killed leaves no half of a cluster."""
        if self._data_dir.exists() and any(self._data_dir.iterdir()):
            raise EmbeddedPostgresError(
                f"{self._data_dir} holds other files: name another folder in postgres.data_dir."
            )
        draft = self._data_dir.with_name(f".{self._data_dir.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._programs.hand_over(draft)
        access = ("--auth-local=peer", "--auth-host=reject")  # should somebody start the server by hand
        try:
            self._programs.run(folder, "initdb", "-U", "postgres", "-E", "UTF8", *access, cwd=draft)
        except CalledProcessError as error:
            reason = error.stderr.strip().rpartition("\n")[2]
            raise EmbeddedPostgresError(f"The embedded PostgreSQL in {self._data_dir} was not made: {reason}") from None
        draft.rename(self._data_dir)

    def _socket_folder(self) -> Path | None:
        """Where the server listens or, if it was killed, where it listened."""
        try:
            return Path((self._data_dir / "postmaster.pid").read_text().splitlines()[4])
        except (FileNotFoundError, IndexError):
            return None


def ensure_owned(path: Path, uid: int) -> None:
    if path.stat().st_uid != uid:
        raise EmbeddedPostgresError(
            f"{path} belongs to another user: run Gatehouse as that user, or name another folder in postgres.data_dir."
        )


def _url(folder: Path) -> str:
    return f"postgresql://postgres@/postgres?host={quote(str(folder))}&port=5432"


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def _remove(folder: Path) -> None:
    """Unless it is that of an earlier version of Gatehouse, which had the socket among the data."""
    if folder.parent == _SOCKETS and folder.name.startswith(_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)
