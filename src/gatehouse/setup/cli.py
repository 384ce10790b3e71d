"""The command line `gatehouse`. Exit code 0: done. 1: refused, with one line that says why. 2: wrong usage."""

import json
import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path
from shlex import quote
from typing import Annotated, Final

import typer

from gatehouse.common.domain.errors import GatehouseError, InvalidError
from gatehouse.common.infrastructure.database_errors import DatabaseError
from gatehouse.common.infrastructure.migration_lines import OWN, MigrationError
from gatehouse.common.infrastructure.migrations import migrate as migrate_schema
from gatehouse.common.infrastructure.postgres_programs import EmbeddedPostgresError
from gatehouse.common.settings import (
    ConfigError,
    LogSettings,
    PostgresSettings,
    Settings,
    UvicornSettings,
)
from gatehouse.setup.config_file import write_config_toml
from gatehouse.setup.container import ensure_complete
from gatehouse.setup.database_url import database_urls
from gatehouse.setup.describe_settings import describe_settings
from gatehouse.setup.features import serves_docs
from gatehouse.setup.load_settings import load_settings
from gatehouse.setup.logs import configure_logs
from gatehouse.setup.metrics import open_metrics
from gatehouse.setup.module_commands import CommandsOfModules
from gatehouse.setup.modules import MODULES, modules_of, with_modules
from gatehouse.setup.new_migration import write_migration
from gatehouse.setup.read_config import CONFIG_VARIABLE, config_path, named_modules
from gatehouse.setup.run_use_case import run_use_case
from gatehouse.setup.server import run_server, server_options
from gatehouse.setup.sockets import listening_sockets
from gatehouse.setup.status import read_status
from gatehouse.setup.stoppable_server import STOP_SIGNALS
from gatehouse.setup.warnings import warnings_of_migration, warnings_of_server

_STANDARD_ERROR: Final = 2

cli: Final = typer.Typer(
    name="gatehouse",
    cls=CommandsOfModules,
    help="An accounts backend.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
config: Final = typer.Typer(help="The configuration.", no_args_is_help=True)
cli.add_typer(config, name="config")
for module in MODULES:
    for register in module.cli:
        register(cli, run_use_case)


def choose_config(file: Path | None) -> None:
    if file is not None:
        os.environ[CONFIG_VARIABLE] = str(file)


@cli.callback()
def take_options(
    _: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Another config.toml than that of this folder.",
            callback=choose_config,
            is_eager=True,  # the file may name modules, whose commands --help shows
        ),
    ] = None,
) -> None:
    pass


@cli.command()
def serve() -> None:
    """Serve the HTTP interface until interrupted."""
    settings = load_settings()
    configure_logs(settings[LogSettings])
    modules = modules_of(settings)
    ensure_complete(settings, modules)
    _warn(warnings_of_server(settings))
    options, postgres = server_options(settings), settings[PostgresSettings]
    with listening_sockets(settings[UvicornSettings]) as sockets, open_metrics(settings, modules) as metrics:
        for number in STOP_SIGNALS:  # until the server has its own handlers
            signal.signal(number, lambda *_: sys.exit(0))
        with database_urls(postgres) as urls:
            _say(_welcome(settings))
            run_server(settings.replace(replace(postgres, url=urls.server)), options, sockets, metrics)
    os._exit(0)  # what was cut off and does not end, such as a call to the database, is not waited for


@cli.command()
def migrate() -> None:
    """Bring the database schema to its newest revision, and the server's role to its rights."""
    settings = load_settings()
    configure_logs(settings[LogSettings], on_command_line=True)
    _warn(warnings_of_migration(settings))
    modules = modules_of(settings)
    with database_urls(settings[PostgresSettings]) as urls:
        newer = migrate_schema(
            urls.owner,
            modules.migration_lines,
            server_role=urls.server_role,
            upkeep=modules.upkeep(settings),
            report=_tell,
        )
    if not newer:
        typer.echo("The database schema is the newest.")
    for name, revision in newer.items():  # no failure: an instance that starts beside newer ones has nothing to migrate
        what, whose = ("database schema is", "Gatehouse") if name == OWN else (f"tables of {name} are", name)
        _tell(f"The {what} newer (revision {revision}) than this version of {whose}; nothing was changed.")


@cli.command()
def status(*, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Show how the service is doing: schema, database, replica, sessions, accounts, throttled attempts, audit trail."""
    settings = load_settings()
    configure_logs(settings[LogSettings], on_command_line=True)
    postgres = settings[PostgresSettings]
    with database_urls(postgres) as urls:
        found = read_status(urls.server, postgres.replica_url, modules_of(settings))
    typer.echo(json.dumps(found.sections, indent=2, default=str) if as_json else "\n".join(found.lines()))


@cli.command()
def new_migration(
    module: Annotated[str, typer.Argument(metavar="MODULE", help="The name of a module from outside.")],
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help='What changes, such as "add a due date".')],
) -> None:
    """Write a migration of a module, from the difference between its tables and its migrations.

    It starts an embedded PostgreSQL for that, and touches no other database.
    """
    if module == OWN:  # a file in an installed package, which the next version would take for one of its own
        raise MigrationError(f"{OWN}: its own migrations are written in a checkout, with `make migration`.")
    settings = load_settings()
    configure_logs(settings[LogSettings], on_command_line=True)
    typer.echo(f"Wrote {write_migration(modules_of(settings), module, message)}: read it, and shorten it.")


@config.command()
def check() -> None:
    """Print the effective configuration, with its secrets masked."""
    settings = load_settings()
    modules = modules_of(settings)
    ensure_complete(settings, modules)
    typer.echo("\n".join(describe_settings(settings, modules.settings)))


@config.command()
def init() -> None:
    """Write a config.toml that lists every setting, in comments. What is there already is left as it is."""
    path = config_path()
    write_config_toml(path, with_modules(named_modules({}, os.environ)).settings)
    gatehouse = quote(sys.argv[0])
    if path != Path.cwd() / "config.toml":
        gatehouse += f" --config {quote(str(path))}"
    typer.echo(f"Wrote {path}, in which every line shows a default: take its # away to change it.")
    typer.echo(f"Then: `{gatehouse} migrate`, and `{gatehouse} serve`.")


def main() -> None:
    try:
        _open_closed_streams()
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # not every name fits the locale
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
    none = f"no config.toml in {settings.folder}, so the defaults (`{sys.argv[0]} config init` writes one)"
    lines.append(f"Configuration: {settings.file or none}")
    lines += [
        f"{module.name.capitalize()}: {settings.origin}{module.web_pages.prefix}"
        for module in modules_of(settings)
        if module.web_pages
    ]
    if serves_docs(settings):
        lines.append(f"API documentation: {settings.origin}/docs")
    lines.append(f"The first super admin: {sys.argv[0]} create-super-admin USERNAME (in another terminal)")
    return "\n".join(lines)
