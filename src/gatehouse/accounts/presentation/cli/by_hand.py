"""Of what the operator does to anybody: passwords, sessions, throttled attempts."""

import sys
from typing import Annotated, Final

import typer

from gatehouse.accounts.application.commands.end_all_sessions import EndAllSessions
from gatehouse.accounts.application.commands.end_sessions_by_hand import EndSessionsByHand
from gatehouse.accounts.application.commands.set_password import SetPassword
from gatehouse.accounts.application.commands.unthrottle import Unthrottle
from gatehouse.accounts.application.ports import ForgottenAttempts
from gatehouse.accounts.presentation.cli.arguments import (
    OptionalUsername,
    PasswordStdin,
    Username,
    prompt_password,
    read_password,
)
from gatehouse.common.presentation.cli.run_use_case import RunUseCase

_MOST_LINES: Final = 20
_REPORT_EVERY: Final = 100_000


def register(cli: typer.Typer, run: RunUseCase) -> None:
    @cli.command()
    def set_password(username: Username, *, password_stdin: PasswordStdin = False) -> None:
        """Set anybody's password, which must be changed at the next login. All sessions end."""
        ask_password = read_password if password_stdin else prompt_password
        run(SetPassword, lambda execute: execute(username, ask_password))
        typer.echo(f"Set the password of {username.lower()}, to be changed at the next login; the sessions have ended.")

    @cli.command()
    def end_sessions(
        username: OptionalUsername = None,
        *,
        everybodys: Annotated[bool, typer.Option("--all", help="Everybody's, as after a leak.")] = False,
        yes: Annotated[bool, typer.Option("--yes", help="With --all: do not ask whether this is meant.")] = False,
    ) -> None:
        """End all sessions of a user, or with --all of everybody. They may log in again."""
        if (username is None) is not everybodys:
            raise typer.BadParameter("give either a username or --all.")
        if username is not None:
            ended = run(EndSessionsByHand, lambda execute: execute(username))
            typer.echo(f"Ended {_counted(ended, 'session')} of {username.lower()}.")
            return
        if not yes:
            _confirm()
        ended = run(EndAllSessions, _end_all)
        typer.echo(f"Ended {_counted(ended, 'session')}.")

    @cli.command()
    def unthrottle(
        who: Annotated[str, typer.Argument(metavar="USERNAME|ADDRESS", help="Of an IPv6 address, its /64 network.")],
    ) -> None:
        """Forget the attempts that were counted against a user, or against an address."""
        forgotten = run(Unthrottle, lambda execute: execute(who))
        if not forgotten:
            typer.echo(f"Nothing was counted against {who.lower()}.")
        for attempts in forgotten[:_MOST_LINES]:
            typer.echo(_describe(attempts))
        if more := len(forgotten[_MOST_LINES:]):
            typer.echo(f"And {more} more.")


def _confirm() -> None:
    if sys.stdin is None or not sys.stdin.isatty():
        raise typer.BadParameter("nobody can be asked here whether this is meant: say --yes.")
    typer.confirm("End the sessions of everybody?", abort=True, err=True)


async def _end_all(execute: EndAllSessions) -> int:
    progress, reported = await execute(), 0
    while not progress.is_done:
        progress = await execute(progress)
        if progress.ended - reported >= _REPORT_EVERY:
            reported = progress.ended
            typer.echo(f"Ended {reported} sessions so far.", err=True)
    return progress.ended


def _describe(attempts: ForgottenAttempts) -> str:
    what = "sign-up" if attempts.kind == "sign-up" else "password"
    whose = {None: "", "None": " for names that nobody can have"}.get(attempts.username, f" for {attempts.username}")
    until = f"{attempts.next_at:%Y-%m-%d %H:%M:%S} UTC"
    return (
        f"Forgot {_counted(attempts.count, what)}{whose} from {attempts.address}; the next had to wait until {until}."
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
