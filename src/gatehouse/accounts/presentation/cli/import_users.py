"""Accounts of another system, or of an export, from a file."""

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from uuid6 import uuid7

from gatehouse.accounts.application.commands.import_users import ImportUsers
from gatehouse.accounts.application.user_file import ImportRules
from gatehouse.accounts.application.user_import import ImportRun, ImportTally
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.presentation.cli.arguments import Form
from gatehouse.accounts.presentation.cli.refused_rows import RefusedRows
from gatehouse.accounts.presentation.cli.user_files import STANDARD_STREAM, UserFile, format_of
from gatehouse.common.domain.errors import InvalidError, UnavailableError
from gatehouse.common.presentation.cli.progress import ProgressReport
from gatehouse.common.presentation.cli.run_use_case import RunUseCase

_DEFAULT_REFUSED: Final = "import.refused"

File = Annotated[str, typer.Argument(metavar="FILE", help="NDJSON or CSV; - is standard input.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing, and tell what would be refused.")]
UsernameFrom = Annotated[str, typer.Option(metavar="COLUMN", help="The column that becomes the username.")]
HighestRole = Annotated[Role, typer.Option(help="Refuse rows with a role above.")]
AllowReserved = Annotated[bool, typer.Option("--allow-reserved", help="Take names such as admin and root.")]
PepperedBcrypt = Annotated[
    bool,
    typer.Option("--peppered-bcrypt", help="bcrypt hashes are over an HMAC-SHA-384 with password.imported_pepper."),
]
Refused = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Where each refused line is told, with the reason. By default FILE.refused."),
]


def register(cli: typer.Typer, run: RunUseCase) -> None:
    @cli.command()
    def import_users(  # noqa: PLR0913  # each is an option
        file: File,
        *,
        form: Form = None,
        dry_run: DryRun = False,
        username_from: UsernameFrom = "username",
        highest_role: HighestRole = Role.USER,
        allow_reserved: AllowReserved = False,
        peppered_bcrypt: PepperedBcrypt = False,
        refused: Refused = None,
    ) -> None:
        """Add the accounts of a file. What is there already stays as it is, so an import can be run again."""
        rules = ImportRules(highest_role, allow_reserved, peppered_bcrypt)
        refused_path = refused or Path(_DEFAULT_REFUSED if file == STANDARD_STREAM else f"{file}.refused")
        with _open(file) as descriptor, RefusedRows(refused_path, source=descriptor) as refusals:
            source = UserFile(descriptor, form or format_of(file), username_from)
            tally = _import(run, source, refusals, rules, is_dry=dry_run)
        if not tally.rows:
            raise InvalidError("FILE", "Holds no rows.")
        _tell(f"{_describe(tally, is_dry=dry_run)}{f': see {refused_path}' if tally.refused else ''}.")
        if tally.refused:
            raise typer.Exit(1)


def _import(
    run: RunUseCase, source: UserFile, refusals: RefusedRows, rules: ImportRules, *, is_dry: bool
) -> ImportTally:
    tally = ImportTally()
    with ProgressReport() as report:

        def progressed(now: ImportTally) -> None:
            nonlocal tally
            tally = now
            report.update(now.rows, source.share)

        this = ImportRun(id=uuid7(), rules=rules, refuse=refusals.add, progressed=progressed, is_dry=is_dry)
        try:
            return run(ImportUsers, lambda execute: execute(this, source.batches()))
        except KeyboardInterrupt:
            report.close()
            _tell(f"interrupted: {_describe(tally, is_dry=is_dry)}. Run it again to go on.")
            raise typer.Exit(1) from None
        except UnavailableError:
            report.close()
            _tell(f"stopped: {_describe(tally, is_dry=is_dry)}. Run it again to go on.")
            raise


@contextmanager
def _open(file: str) -> Iterator[int]:
    if file == STANDARD_STREAM:
        if sys.stdin is None:
            raise InvalidError("FILE", "Is to come on standard input, which is closed.")
        yield sys.stdin.fileno()
        return
    descriptor = os.open(file, os.O_RDONLY)
    try:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):  # reading it fails without a name
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), file)
        yield descriptor
    finally:
        os.close(descriptor)


def _describe(tally: ImportTally, *, is_dry: bool) -> str:
    return f"in a dry run, which changed nothing, {tally}" if is_dry else str(tally)


def _tell(line: str) -> None:
    typer.echo(f"gatehouse: {line}", err=True)
