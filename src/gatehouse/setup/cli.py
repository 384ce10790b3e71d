"""The command line `gatehouse`. Exit code 0: done. 1: refused, with one line that says why. 2: wrong usage."""

import os
import signal
import sys
from dataclasses import replace
from typing import Final

import typer
import uvicorn

from gatehouse.accounts.presentation.cli import purge_sessions, super_admins
from gatehouse.common.domain.errors import GatehouseError, InvalidError
from gatehouse.common.infrastructure.embedded_postgres import EmbeddedPostgresError
from gatehouse.common.infrastructure.migrations import migrate as migrate_schema
from gatehouse.common.infrastructure.migrations import migration_config
from gatehouse.setup.config_error import ConfigError
from gatehouse.setup.database_url import database_urls
from gatehouse.setup.load_settings import load_settings
from gatehouse.setup.logs import configure_logs
from gatehouse.setup.run_use_case import operate
from gatehouse.setup.settings import PROJECT_ROOT, LogLevel, Settings, described

cli: Final = typer.Typer(
    name="gatehouse", help="An accounts backend.", no_args_is_help=True, pretty_exceptions_enable=False
)
config: Final = typer.Typer(help="The configuration.", no_args_is_help=True)
cli.add_typer(config, name="config")
super_admins.register(cli, operate)
purge_sessions.register(cli, operate)


@cli.command()
def serve() -> None:
    """Serve the HTTP interface until interrupted."""
    settings = load_settings()
    configure_logs(settings.logs)
    # uvicorn stops cleanly on SIGTERM and then raises it anew: leave by an exception, so that the database stops too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with database_urls(settings.postgres) as urls:
        os.environ["GATEHOUSE_POSTGRES__URL"] = urls.server  # the server processes load the settings for themselves
        typer.echo(_welcome(settings), err=True)
        uvicorn.run(
            "gatehouse.setup.app:create_served_app",
            factory=True,
            host=settings.uvicorn.host,
            port=settings.uvicorn.port,
            workers=settings.uvicorn.workers,
            loop="uvloop",
            http="httptools",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # the application itself knows which proxies to trust
        )


@cli.command()
def migrate() -> None:
    """Bring the database schema to its newest revision, and the server's role to its rights."""
    settings = load_settings()
    configure_logs(replace(settings.logs, level=LogLevel.ERROR))
    with database_urls(settings.postgres) as urls:
        migrate_schema(migration_config(PROJECT_ROOT, urls.owner), server_role=urls.server_role)
    typer.echo("The database schema is the newest.")


@config.command()
def check() -> None:
    """Print the effective configuration, with its secrets masked."""
    typer.echo("\n".join(described(load_settings())))


def main() -> None:
    try:
        cli()
    except InvalidError as error:
        _refuse(f"{error.field}: {error.message}")
    except (GatehouseError, ConfigError, EmbeddedPostgresError) as error:
        _refuse(str(error))


def _refuse(line: str) -> None:
    typer.echo(f"gatehouse: {line}", err=True)
    raise SystemExit(1)


def _welcome(settings: Settings) -> str:
    lines = [f"Gatehouse serves {settings.origin}"]
    if settings.serves_docs:
        lines.append(f"API documentation: {settings.origin}/docs")
    lines.append(f"The first super admin: {sys.argv[0]} create-super-admin USERNAME (in another terminal)")
    return "\n".join(lines)
