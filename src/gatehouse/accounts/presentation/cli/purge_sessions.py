"""Housekeeping by hand, or by a scheduler of the operator's."""

import typer
from dishka import AsyncContainer

from gatehouse.accounts.application.commands.purge_sessions import PurgeSessions
from gatehouse.common.presentation.cli.run_use_case import Operate


def register(cli: typer.Typer, operate: Operate) -> None:
    @cli.command()
    def purge_sessions() -> None:
        """Delete expired sessions and forgotten throttle counts. A running server does so by itself."""

        async def act(container: AsyncContainer) -> str:
            execute = await container.get(PurgeSessions)
            return f"Deleted {await execute()} rows."

        typer.echo(operate(act))
