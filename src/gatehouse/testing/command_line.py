"""A module's commands of the command line, on use cases in memory."""

import asyncio
from typing import Any

import typer
from typer.testing import CliRunner

from gatehouse.common.presentation.cli.run_use_case import RegisterCommands
from gatehouse.testing.in_memory_app import InMemoryApp


async def run_command(app: InMemoryApp, register: RegisterCommands, *arguments: str) -> str:
    """What it prints. The first argument is the command's name."""

    def run(use_case: Any, call: Any) -> Any:  # wider than RunUseCase, whose use cases need be no dataclasses
        return asyncio.run(call(app.use(use_case)))

    cli = typer.Typer()
    cli.callback()(_do_nothing)  # else a command that is the only one had no name
    register(cli, run)
    # The command line has no event loop around it, other than a test.
    result = await asyncio.to_thread(CliRunner().invoke, cli, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def _do_nothing() -> None:
    pass
