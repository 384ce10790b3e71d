"""All accounts into a file, or to standard output."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer

from gatehouse.accounts.application.queries.export_users import ExportBlock, ExportUsers
from gatehouse.accounts.application.user_file import FileFormat
from gatehouse.accounts.presentation.cli.arguments import Form
from gatehouse.accounts.presentation.cli.user_files import STANDARD_STREAM, format_of
from gatehouse.common.presentation.cli.progress import ProgressReport
from gatehouse.common.presentation.cli.run_use_case import RunUseCase
from gatehouse.common.presentation.cli.whole_file import open_whole_file

_HELP: Final = "Write it there, whole or not at all; - is standard output."


def register(cli: typer.Typer, run: RunUseCase) -> None:
    @cli.command()
    def export_users(
        *,
        form: Form = None,
        output: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help=_HELP)] = STANDARD_STREAM,
        with_hashes: Annotated[
            bool, typer.Option("--with-hashes", help="With the password hashes, which are secrets.")
        ] = False,
    ) -> None:
        """Write all accounts, as they are at one moment, in a form that import-users takes."""
        to_stdout = output == STANDARD_STREAM
        target = nullcontext(typer.get_binary_stream("stdout")) if to_stdout else open_whole_file(Path(output))
        try:
            with ProgressReport(is_shown=not (to_stdout and sys.stdout.isatty())) as report, target as file:
                rows = _export(run, form or format_of(output), file, report, with_hashes=with_hashes)
        except KeyboardInterrupt:
            typer.echo(f"gatehouse: interrupted{'' if to_stdout else '; nothing was written'}.", err=True)
            raise typer.Exit(1) from None
        typer.echo(f"gatehouse: exported {rows} accounts.", err=True)


def _export(run: RunUseCase, form: FileFormat, file: BinaryIO, report: ProgressReport, *, with_hashes: bool) -> int:
    rows = 0

    def take(block: ExportBlock) -> None:
        nonlocal rows
        rows += block.rows
        file.write(block.text.encode())
        report.update(rows, block.share)

    run(ExportUsers, lambda execute: execute(form, take, with_hashes=with_hashes))
    file.flush()
    return rows
