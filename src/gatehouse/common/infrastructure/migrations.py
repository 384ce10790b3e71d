"""Migrating the schema to its newest revision, and checking that it has it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import Final

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg.conninfo import make_conninfo
from psycopg.rows import scalar_row
from sqlalchemy import Connection, Engine, MetaData, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.infrastructure.database_connection import explain_no_connection
from gatehouse.common.infrastructure.database_errors import DatabaseError, ErrorTranslation
from gatehouse.common.infrastructure.grants import Grants, grant_to_server
from gatehouse.common.infrastructure.waiting import wait_for_answer

SCRIPTS: Final = "gatehouse:migrations"
"""A folder of the package, so that an installed wheel has it, too."""
_READY_WITHIN_SECONDS: Final = 0.9

LOCK_TRIES: Final = 20
PAUSE_SECONDS: Final = 2.0
_CONNECT: Final = {"connect_timeout": 3, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
# Whoever wants the table queues behind a migration that waits for it, and itself gives up after 2 s (database.py): the
# migration gives up earlier. Apart from that it may take its time, whatever the role or the database has set.
_LIMITS: Final = """
    SELECT set_config(name, CASE name WHEN 'lock_timeout' THEN '1s' ELSE '0' END, false) FROM pg_settings
    WHERE name IN ('lock_timeout', 'statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout')
"""
_LOCK: Final = "SELECT pg_try_advisory_xact_lock(hashtext('gatehouse migrations'))"
_REVISION: Final = "SELECT version_num FROM alembic_version"
# Of these errors PostgreSQL's message names objects of the schema, roles, files and limits, and never quotes a row:
# what is not supported, a server that is read-only, insufficient resources, a wrong state, an operator's intervention,
# errors of the system, and access or names.
_SAFE_TO_SHOW: Final = ("0A", "25006", "42", "53", "55", "57", "58")

type Report = Callable[[str], None]
"""Takes a line for the operator: what is being waited for."""


class MigrationError(Exception):
    """One line for the operator."""


@dataclass(frozen=True, slots=True)
class ServerRole:
    """The database role of the server, and what it may do on each table."""

    name: str
    grants: Grants


class SchemaAge(Enum):
    """Of a schema, as this version of Gatehouse sees it."""

    OLDER = auto()
    """Or there is none."""
    NEWEST = auto()
    NEWER = auto()
    """Migrated by a later version. It serves this one, too: see "Changing the schema" in CONTRIBUTING.md."""
    UNKNOWN = auto()
    """Neither this line of revisions nor one that goes on from it."""

    @classmethod
    def of(cls, revision: str | None, script: ScriptDirectory) -> "SchemaAge":
        known = [step.revision for step in script.walk_revisions()]
        if revision is None or revision in known[1:]:
            return cls.OLDER
        if revision == known[0]:
            return cls.NEWEST
        # Revisions are numbers of one length, so that they sort as text. Whatever else sorts behind is no revision.
        is_number = revision.isascii() and revision.isdecimal() and len(revision) == len(known[0])
        return cls.NEWER if is_number and revision > known[0] else cls.UNKNOWN


def migration_config(url: str, metadata: MetaData | None = None, file: str | None = None) -> Config:
    """`metadata` and `file` (alembic.ini) are only needed to write migrations."""
    config = Config(file)
    config.set_main_option("script_location", SCRIPTS)
    config.attributes["url"] = url
    config.attributes["metadata"] = metadata
    return config


def migrate(config: Config, *, server_role: ServerRole | None = None, report: Report = lambda _: None) -> str | None:
    """Brings the schema to its newest revision and the server's role to its rights, in the last transaction of both.

    Any number of processes may do so at once: one migrates after the other, and the later ones find nothing to do. A
    newer schema is left as it is, with the rights that its version granted, and its revision is given back. Raises
    MigrationError, UnavailableError or DatabaseError.
    """
    with _explain_errors(), _lock_out_others(config.attributes["url"], report) as connection:
        script = ScriptDirectory.from_config(config)
        revision = _find_revision(connection)
        match SchemaAge.of(revision, script):
            case SchemaAge.NEWER:
                return revision
            case SchemaAge.UNKNOWN:
                raise MigrationError(
                    f"The database schema has the revision {revision!r}, which is not one of Gatehouse's (this version "
                    f"knows those up to {script.get_current_head()}): is it the right database? Nothing was changed."
                )
        if server_role is not None:
            config.attributes["finish"] = partial(grant_to_server, role=server_role.name, grants=server_role.grants)
        _upgrade(config, report)
    return None


def open_owner(url: str) -> Engine:
    """Each connection of it has the time limits of a migration. The URL leads to PostgreSQL itself: a proxy that pools
    transactions would hand the limits on to others.
    """
    return create_engine("postgresql+psycopg://", creator=lambda: _connect(url), poolclass=NullPool)


class SchemaReadiness:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._script = ScriptDirectory.from_config(migration_config(""))
        self._newest = self._script.get_current_head()

    async def ensure_ready(self) -> None:
        try:
            query = self._database.fetch_one(_REVISION, {}, scalar_row)
            revision = await wait_for_answer(_READY_WITHIN_SECONDS, query)
        except DatabaseError:
            revision = None  # the table of revisions is not there yet
        if revision == self._newest:
            return
        match SchemaAge.of(revision, self._script):
            case SchemaAge.OLDER:
                raise UnavailableError("The database schema is not the newest: run `gatehouse migrate`.")
            case SchemaAge.UNKNOWN:
                raise UnavailableError("The database schema is not one of Gatehouse's: see `gatehouse migrate`.")


def _connect(url: str) -> psycopg.Connection:
    try:
        connection = psycopg.connect(make_conninfo(url, **_CONNECT))
    except (psycopg.OperationalError, UnicodeError) as error:
        raise MigrationError(explain_no_connection(error)) from None
    try:
        connection.execute(_LIMITS)
        connection.commit()
    except BaseException:  # an interrupt, too
        connection.close()
        raise
    return connection


@contextmanager
def _lock_out_others(url: str, report: Report) -> Iterator[Connection]:
    """Other migrations, on a connection of its own: a migration in several transactions stays one.

    Asked for again and again, since whoever waits inside of a statement would keep CREATE INDEX CONCURRENTLY waiting.
    """
    with open_owner(url).connect() as connection:
        is_first = True
        while not connection.exec_driver_sql(_LOCK).scalar_one():
            connection.rollback()
            if is_first:
                report("Another process migrates: waiting for it.")
            is_first = False
            time.sleep(PAUSE_SECONDS / 10)
        yield connection


def _find_revision(connection: Connection) -> str | None:
    if connection.exec_driver_sql("SELECT to_regclass('alembic_version')").scalar_one() is None:
        return None
    revisions: list[str] = sorted(connection.exec_driver_sql(_REVISION).scalars())
    return ", ".join(revisions) if revisions else None  # more than one are unknown


def _upgrade(config: Config, report: Report) -> None:
    """A migration that does not get a lock in time is rolled back, lets others pass, and is tried again."""
    for tries_left in reversed(range(LOCK_TRIES)):
        try:
            command.upgrade(config, "head")
        except DBAPIError as error:
            if not isinstance(error.orig, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
                raise
            statement = " ".join((error.statement or "").split())
            if not tries_left:
                raise MigrationError(
                    f"Another transaction holds what is to be changed (after {LOCK_TRIES} tries): {statement:.120}. "
                    "See which one in pg_stat_activity, and run `gatehouse migrate` again."
                ) from None
            report(f"Another transaction holds what is to be changed; trying again: {statement:.120}")
            time.sleep(PAUSE_SECONDS)
        else:
            return


@contextmanager
def _explain_errors() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(cause, psycopg.Error):
            raise
        if cause.sqlstate is not None and cause.sqlstate.startswith(_SAFE_TO_SHOW):
            raise MigrationError(f"PostgreSQL refuses: {cause.diag.message_primary}.") from None
        raise ErrorTranslation({}).translate_error(cause) from None
