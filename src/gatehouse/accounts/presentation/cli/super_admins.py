"""Super admins are created and revoked here, and nowhere else."""

from collections.abc import Callable
from typing import Annotated

import typer

from gatehouse.accounts.application.commands.create_super_admin import CreateSuperAdmin
from gatehouse.accounts.application.commands.raise_to_super_admin import RaiseToSuperAdmin
from gatehouse.accounts.application.commands.revoke_super_admin import RevokeSuperAdmin
from gatehouse.accounts.domain.errors import UsernameTakenError
from gatehouse.accounts.presentation.cli.arguments import PasswordStdin, Username, prompt_password, read_password
from gatehouse.common.presentation.cli.run_use_case import RunUseCase


def register(cli: typer.Typer, run: RunUseCase) -> None:
    @cli.command()
    def create_super_admin(
        username: Username,
        *,
        password_stdin: PasswordStdin = False,
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
            _create(run, username, read_password if password_stdin else prompt_password)

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
