"""Housekeeping by hand, or by a scheduler of the operator's."""

import typer

from gatehouse.accounts.application.commands.purge_sessions import PurgeSessions
from gatehouse.common.presentation.cli.run_use_case import RunUseCase


def register(cli: typer.Typer, run: RunUseCase) -> None:
    @cli.command()
    def purge_sessions() -> None:
        """Delete expired sessions and forgotten throttle counts. A running server does so by itself."""
        rows = run(PurgeSessions, lambda execute: execute())
        typer.echo(f"Deleted {rows} rows.")
