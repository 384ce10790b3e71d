"""Bringing the schema to its newest revision, and knowing whether it is there."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg.rows import scalar_row

from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.infrastructure.database_errors import DatabaseError, database_errors
from gatehouse.common.infrastructure.grants import grant_to_server
from gatehouse.common.infrastructure.waiting import answered_within

_READY_WITHIN_SECONDS: Final = 0.9


def migration_config(project_root: Path, url: str) -> Config:
    config = Config(project_root / "alembic.ini")
    config.attributes["url"] = url
    return config


def migrate(config: Config, *, server_role: str | None = None) -> None:
    """Replicas that start together migrate one after the other."""
    with database_errors():
        command.upgrade(config, "head")
        if server_role is not None:
            grant_to_server(config.attributes["url"], server_role)


class SchemaReadiness:
    def __init__(self, database: Database, config: Config) -> None:
        self._database = database
        self._head = ScriptDirectory.from_config(config).get_current_head()

    async def ensure_ready(self) -> None:
        try:
            asked = self._database.fetch_one("SELECT version_num FROM alembic_version", {}, scalar_row)
            revision = await answered_within(_READY_WITHIN_SECONDS, asked)
        except DatabaseError:
            revision = None  # the table of revisions is not there yet
        if revision != self._head:
            raise UnavailableError("The database schema is not the newest: run `gatehouse migrate`.")
