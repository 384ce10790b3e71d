"""How a command of the command line calls its use case."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import typer


class RunUseCase(Protocol):
    def __call__[UseCase, Result](
        self, use_case: type[UseCase], call: Callable[[UseCase], Awaitable[Result]]
    ) -> Result:
        """Loads the settings, opens the database, and passes the use case, made as for a request, to `call`.

        Raises ConfigError and GatehouseError, whose message is one line for the operator.
        """


type RegisterCommands = Callable[[typer.Typer, RunUseCase], None]
"""Adds a module's commands to the command line."""
