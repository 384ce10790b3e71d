"""The command line `gatehouse`. Exit code 0: done. 1: refused, with one line that says why. 2: wrong usage."""

import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from gatehouse.common.domain.errors import GatehouseError, InvalidError
from gatehouse.common.infrastructure.database_errors import DatabaseError
from gatehouse.common.infrastructure.migrations import MigrationError, ServerRole, migration_config
from gatehouse.common.infrastructure.migrations import migrate as migrate_schema
from gatehouse.common.infrastructure.postgres_programs import EmbeddedPostgresError
from gatehouse.common.settings import (
    AppSettings,
    ConfigError,
    LogSettings,
    PostgresSettings,
    Settings,
    UvicornSettings,
)
from gatehouse.setup.database_url import database_urls
from gatehouse.setup.describe_settings import describe_settings
from gatehouse.setup.load_settings import CONFIG_VARIABLE, load_settings
from gatehouse.setup.logs import configure_logs
from gatehouse.setup.modules import MODULES
from gatehouse.setup.run_use_case import run_use_case
from gatehouse.setup.server import run_server, server_options
from gatehouse.setup.sockets import listening_sockets
from gatehouse.setup.stoppable_server import STOP_SIGNALS
from gatehouse.setup.warnings import warnings_of_migration, warnings_of_server

_STANDARD_ERROR: Final = 2

cli: Final = typer.Typer(
    name="gatehouse", help="An accounts backend.", no_args_is_help=True, pretty_exceptions_enable=False
)
config: Final = typer.Typer(help="The configuration.", no_args_is_help=True)
cli.add_typer(config, name="config")
for module in MODULES:
    for register in module.cli:
        register(cli, run_use_case)


@cli.callback()
def choose_config(
    file: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Another config.toml than that of this folder.")
    ] = None,
) -> None:
    if file is not None:
        os.environ[CONFIG_VARIABLE] = str(file)


@cli.command()
def serve() -> None:
    """Serve the HTTP interface until interrupted."""
    settings = load_settings(MODULES)
    configure_logs(settings[LogSettings])
    _warn(warnings_of_server(settings))
    options, postgres = server_options(settings), settings[PostgresSettings]
    with listening_sockets(settings[UvicornSettings]) as sockets:
        for number in STOP_SIGNALS:  # until the server has its own handlers
            signal.signal(number, lambda *_: sys.exit(0))
        with database_urls(postgres) as urls:
            _say(_welcome(settings))
            run_server(settings.replace(replace(postgres, url=urls.server)), options, sockets)
    os._exit(0)  # what was cut off and does not end, such as a call to the database, is not waited for


@cli.command()
def migrate() -> None:
    """Bring the database schema to its newest revision, and the server's role to its rights."""
    settings = load_settings(MODULES)
    configure_logs(settings[LogSettings], on_command_line=True)
    _warn(warnings_of_migration(settings))
    with database_urls(settings[PostgresSettings]) as urls:
        role = None if urls.server_role is None else ServerRole(urls.server_role, MODULES.grants)
        newer = migrate_schema(migration_config(urls.owner), server_role=role, report=_tell)
    if newer is None:
        typer.echo("The database schema is the newest.")
    else:  # no failure: an instance of this version that starts beside newer ones has nothing to migrate
        _tell(f"The database schema is newer (revision {newer}) than this version of Gatehouse; nothing was changed.")


@config.command()
def check() -> None:
    """Print the effective configuration, with its secrets masked."""
    typer.echo("\n".join(describe_settings(load_settings(MODULES), MODULES.settings)))


def main() -> None:
    try:
        _open_closed_streams()
        cli()
    except OSError as error:  # a full disk behind standard output, say
        _refuse(f"{error.strerror}{f': {error.filename}' if error.filename else ''}.")
    except InvalidError as error:
        _refuse(f"{error.field}: {error.message}")
    except (GatehouseError, ConfigError, EmbeddedPostgresError, MigrationError, DatabaseError) as error:
        _refuse(str(error))


def _open_closed_streams() -> None:
    """As a supervisor may leave them. Otherwise the next socket would get the number of standard error, into which
    libraries write.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        os.set_inheritable(number, True)  # noqa: FBT003  # as every program expects them
    os.close(number)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(_STANDARD_ERROR, "w")


def _warn(lines: Iterable[str]) -> None:
    for line in lines:
        _tell(f"warning: {line}")


def _refuse(line: str) -> None:
    _tell(line)
    raise SystemExit(1)


def _tell(line: str) -> None:
    _say(f"gatehouse: {line}")


def _say(text: str) -> None:
    """Where nobody can read it, all else goes on."""
    with suppress(OSError):
        typer.echo(text, err=True)


def _welcome(settings: Settings) -> str:
    lines = [f"Gatehouse serves {settings.origin}"]
    lines.append(f"Configuration: {settings.file or f'no config.toml in {settings.folder}, so the defaults'}")
    if settings[AppSettings].serves_docs:
        lines.append(f"API documentation: {settings.origin}/docs")
    lines.append(f"The first super admin: {sys.argv[0]} create-super-admin USERNAME (in another terminal)")
    return "\n".join(lines)
