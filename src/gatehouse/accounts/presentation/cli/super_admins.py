"""Super admins are created and revoked here, and nowhere else."""

import sys
from typing import Annotated, Final

import typer

from gatehouse.accounts.application.commands.create_super_admin import CreateSuperAdmin, SuperAdminOutcome
from gatehouse.accounts.application.commands.revoke_super_admin import RevokeSuperAdmin
from gatehouse.common.presentation.cli.run_use_case import RunUseCase

type Username = Annotated[str, typer.Argument(metavar="USERNAME", help="The account's name.")]

_MESSAGES: Final = {
    SuperAdminOutcome.CREATED: "Created the super admin {}.",
    SuperAdminOutcome.PROMOTED: "Raised the existing user {} to super admin; the password is unchanged.",
    SuperAdminOutcome.UNCHANGED: "{} is an active super admin already; nothing changed.",
}


def register(cli: typer.Typer, run: RunUseCase) -> None:
    @cli.command()
    def create_super_admin(
        username: Username,
        *,
        password_stdin: Annotated[
            bool, typer.Option("--password-stdin", help="Read the password from standard input.")
        ] = False,
    ) -> None:
        """Create a super admin, or raise an existing user to one."""
        ask_password = _read_password if password_stdin else _prompt_password
        outcome = run(CreateSuperAdmin, lambda execute: execute(username, ask_password))
        typer.echo(_MESSAGES[outcome].format(username.lower()))

    @cli.command()
    def revoke_super_admin(username: Username) -> None:
        """Make a super admin a plain user. The last active super admin stays."""
        if run(RevokeSuperAdmin, lambda execute: execute(username)):
            typer.echo(f"{username.lower()} is a plain user now.")
        else:
            typer.echo(f"{username.lower()} is no super admin; nothing changed.")


def _prompt_password() -> str:
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _read_password() -> str:
    """One line, without its line ending; everything else is part of the password."""
    return sys.stdin.readline().removesuffix("\n").removesuffix("\r")
