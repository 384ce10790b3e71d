"""What several commands ask the operator for."""

import os
import sys
from typing import Annotated, Final

import typer

from gatehouse.accounts.application.user_file import FileFormat
from gatehouse.common.domain.errors import InvalidError

_USERNAME: Final = typer.Argument(metavar="USERNAME", help="The account's name.")

type Username = Annotated[str, _USERNAME]
OptionalUsername = Annotated[str | None, _USERNAME]
Form = Annotated[FileFormat | None, typer.Option("--format", help="By default as the file's name ends, else ndjson.")]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


def prompt_password() -> str:
    if not _has_terminal():  # it would be read from wherever, and shown
        raise InvalidError("password", "Nobody can be asked for it here: give it with --password-stdin.")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _has_terminal() -> bool:
    """As getpass looks for it: that of the process, wherever standard input comes from."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return sys.stdin is not None and sys.stdin.isatty()
    return True


def read_password() -> str:
    """One line, without its line ending; everything else is part of the password. It is UTF-8, whatever the locale."""
    if sys.stdin is None:
        raise InvalidError("password", "Must come on standard input, which is closed.")
    line = typer.get_binary_stream("stdin").readline().decode(errors="surrogateescape")  # refused as a password
    return line.removesuffix("\n").removesuffix("\r")
