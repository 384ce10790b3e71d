"""Super admins are created and revoked here, and nowhere else."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from gatehouse.accounts.application.commands.create_super_admin import CreateSuperAdmin
from gatehouse.accounts.application.commands.raise_to_super_admin import RaiseToSuperAdmin
from gatehouse.accounts.application.commands.revoke_super_admin import RevokeSuperAdmin
from gatehouse.accounts.domain.errors import UsernameTakenError
from gatehouse.common.domain.errors import InvalidError
from gatehouse.common.presentation.cli.run_use_case import RunUseCase

type Username = Annotated[str, typer.Argument(metavar="USERNAME", help="The account's name.")]


def register(cli: typer.Typer, run: RunUseCase) -> None:
    @cli.command()
    def create_super_admin(
        username: Username,
        *,
        password_stdin: Annotated[
            bool, typer.Option("--password-stdin", help="Read the password from standard input.")
        ] = False,
        raise_existing: Annotated[
            bool,
            typer.Option("--raise-existing", help="Raise an existing account, with the password that it has."),
        ] = False,
    ) -> None:
        """Create a super admin, or with --raise-existing make one of an existing account."""
        if raise_existing and password_stdin:
            raise typer.BadParameter(
                "an existing account keeps its password: leave one of --raise-existing and --password-stdin away."
            )
        if raise_existing:
            _raise_existing(run, username)
        else:
            _create(run, username, _read_password if password_stdin else _prompt_password)

    @cli.command()
    def revoke_super_admin(username: Username) -> None:
        """Make a super admin a plain user. The last active super admin stays."""
        if run(RevokeSuperAdmin, lambda execute: execute(username)):
            typer.echo(f"{username.lower()} is a plain user now.")
        else:
            typer.echo(f"{username.lower()} is no super admin; nothing changed.")


def _create(run: RunUseCase, username: str, ask_password: Callable[[], str]) -> None:
    try:
        run(CreateSuperAdmin, lambda execute: execute(username, ask_password))
    except UsernameTakenError:
        raise UsernameTakenError(
            f"{username.lower()} exists already: --raise-existing makes that account a super admin."
        ) from None
    typer.echo(f"Created the super admin {username.lower()}.")


def _raise_existing(run: RunUseCase, username: str) -> None:
    if run(RaiseToSuperAdmin, lambda execute: execute(username)):
        typer.echo(f"Raised {username.lower()} to super admin; the password is unchanged, the sessions have ended.")
    else:
        typer.echo(f"{username.lower()} is an active super admin already; nothing changed.")


def _prompt_password() -> str:
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _read_password() -> str:
    """One line, without its line ending; everything else is part of the password. It is UTF-8, whatever the locale."""
    if sys.stdin is None:
        raise InvalidError("password", "Must come on standard input, which is closed.")
    line = typer.get_binary_stream("stdin").readline().decode(errors="surrogateescape")  # refused as a password
    return line.removesuffix("\n").removesuffix("\r")
