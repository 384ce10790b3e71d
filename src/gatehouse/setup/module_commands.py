"""The commands of modules from outside, which config.toml names. The others need no configuration to be known."""

import os
from functools import cache
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from gatehouse.common.settings import ConfigError
from gatehouse.setup.modules import MODULES, with_modules
from gatehouse.setup.read_config import named_modules, read_config
from gatehouse.setup.run_use_case import run_use_case


class CommandsOfModules(TyperGroup):
    """Loads them when a command is asked for that is not Gatehouse's own, or all of them are to be shown."""

    # typer's own types of a context and a command have no public names.
    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return super().get_command(ctx, cmd_name) or _load_commands().get(cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        """Help must be there also, and more than ever, where the configuration is wrong."""
        own = super().list_commands(ctx)
        try:
            return [*own, *_load_commands()]
        except ConfigError as error:
            typer.echo(f"gatehouse: {error}", err=True)
            return own


def _load_commands() -> dict[str, Any]:
    """Raises ConfigError."""
    return _commands_of(tuple(named_modules(read_config().raw, os.environ)))


@cache
def _commands_of(packages: tuple[str, ...]) -> dict[str, Any]:
    cli = typer.Typer()
    for module in [*with_modules(packages)][len([*MODULES]) :]:
        for register in module.cli:
            register(cli, run_use_case)
    return dict(get_group(cli).commands)
