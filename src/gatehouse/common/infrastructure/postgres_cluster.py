"""A cluster of PostgreSQL databases in a folder, whose server answers to the folder's owner alone.

It listens on a Unix socket in a private folder, on no port, and the kernel tells it whose process connects.
"""

import os
import pwd
import shutil
import socket
import stat
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
_SOCKET: Final = ".s.PGSQL.5432"
_OPTIONS: Final = "-h '' -p 5432 -k {0} -c hba_file={0}/pg_hba.conf -c ident_file={0}/pg_ident.conf"


class PostgresCluster:
    """Its methods are for one process at a time."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._programs = PostgresPrograms()
        self._folder: Path | None = None

    def start(self) -> str:
        """Gives back the server's URL. Makes the cluster and starts the server, unless they are there.

        After a server that was killed, the URL is the same, as long as its folder is there.
        """
        if self._data_dir.exists():
            ensure_owned(self._data_dir, self._programs.uid)
        before = self._socket_folder()
        if before is not None and self._is_private(before):
            if self.is_dead():
                self._start_in(before)
            self._folder = before
        elif before is not None and _answers(_url(before)):  # started by an earlier version of Gatehouse
            self._folder = before
        else:
            self._folder = self._start_in_new_folder()
        return _url(self._folder)

    def is_dead(self) -> bool:
        """Whether the server was killed: nobody listens where it did."""
        folder = self._socket_folder()
        if folder is None:
            return True
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(0)
            try:
                client.connect(str(folder / _SOCKET))
            except BlockingIOError:  # a frozen server has been asked until its queue was full
                return False
            except (ConnectionRefusedError, FileNotFoundError):
                return True
        return False

    def stop(self) -> None:
        folder = self._socket_folder()
        if folder is None:
            return
        with suppress(CalledProcessError):  # if it has been killed, or does not stop in time
            self._programs.run(folder, "pg_ctl", "stop", "-w", cwd=self._data_dir)
        if self.is_dead() and _is_of_ours(folder):
            shutil.rmtree(folder, ignore_errors=True)

    def _start_in_new_folder(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_SOCKETS))
        try:
            self._start_in(folder)
        except BaseException:  # whatever it is, nobody else removes the folder
            shutil.rmtree(folder)
            raise
        return folder

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
            lines = error.stderr.strip().splitlines() or [""]
            reason = next((line for line in lines if "FATAL" in line or "error:" in line), lines[-1])
            raise EmbeddedPostgresError(f"The embedded PostgreSQL in {self._data_dir} was not made: {reason}") from None
        draft.rename(self._data_dir)

    def _is_private(self, folder: Path) -> bool:
        """Still ours, and not one that somebody else has made under its name since."""
        try:
            found = folder.lstat()
        except FileNotFoundError:
            return False
        return _is_of_ours(folder) and (found.st_uid, found.st_mode) == (self._programs.uid, stat.S_IFDIR | 0o700)

    def _socket_folder(self) -> Path | None:
        """Where the server listens or, if it has ended, listened. Killed at its start, it left an empty line."""
        try:
            folder = os.fsdecode((self._data_dir / "postmaster.pid").read_bytes().splitlines()[4])
        except (FileNotFoundError, IndexError):
            return self._folder
        return Path(folder) if folder.startswith("/") else self._folder


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


def _is_of_ours(folder: Path) -> bool:
    """An earlier version of Gatehouse had the socket among the data."""
    return folder.parent == _SOCKETS and folder.name.startswith(_PREFIX)
