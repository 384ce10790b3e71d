"""Migrating the schema to its newest revision, and checking that it has it."""

from dataclasses import dataclass
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg.rows import scalar_row
from sqlalchemy import MetaData

from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.infrastructure.database_errors import DatabaseError, ErrorTranslation
from gatehouse.common.infrastructure.grants import Grants, grant_to_server
from gatehouse.common.infrastructure.waiting import wait_for_answer

SCRIPTS: Final = "gatehouse:migrations"
"""A folder of the package, so that an installed wheel has it, too."""
_READY_WITHIN_SECONDS: Final = 0.9


@dataclass(frozen=True, slots=True)
class ServerRole:
    """The database role of the server, and what it may do on each table."""

    name: str
    grants: Grants


def migration_config(url: str, metadata: MetaData | None = None, file: str | None = None) -> Config:
    """`metadata` and `file` (alembic.ini) are only needed to write migrations."""
    config = Config(file)
    config.set_main_option("script_location", SCRIPTS)
    config.attributes["url"] = url
    config.attributes["metadata"] = metadata
    return config


def migrate(config: Config, *, server_role: ServerRole | None = None) -> None:
    """Servers that start together migrate one after the other."""
    with ErrorTranslation({}).translate():
        command.upgrade(config, "head")
        if server_role is not None:
            grant_to_server(config.attributes["url"], server_role.name, server_role.grants)


class SchemaReadiness:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._head = ScriptDirectory.from_config(migration_config("")).get_current_head()

    async def ensure_ready(self) -> None:
        try:
            query = self._database.fetch_one("SELECT version_num FROM alembic_version", {}, scalar_row)
            revision = await wait_for_answer(_READY_WITHIN_SECONDS, query)
        except DatabaseError:
            revision = None  # the table of revisions is not there yet
        if revision != self._head:
            raise UnavailableError("The database schema is not the newest: run `gatehouse migrate`.")
