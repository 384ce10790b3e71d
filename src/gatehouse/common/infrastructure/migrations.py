"""Migrating the schema to its newest revisions."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import Final

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, Engine, create_engine, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.database_connection import explain_no_connection
from gatehouse.common.infrastructure.database_errors import DatabaseError, ErrorTranslation
from gatehouse.common.infrastructure.explain_error import explain_error
from gatehouse.common.infrastructure.grants import Grants, grant_to_server
from gatehouse.common.infrastructure.migration_lines import (
    MigrationError,
    MigrationLine,
    Report,
    SchemaAge,
    Upkeep,
    migration_config,
)

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
# Of these errors PostgreSQL's message names objects of the schema, roles, files and limits, and never quotes a row:
# what is not supported, a server that is read-only, insufficient resources, a wrong state, an operator's intervention,
# errors of the system, and access or names.
_SAFE_TO_SHOW: Final = ("0A", "25006", "42", "53", "55", "57", "58")


class _NoLockError(MigrationError):
    """In spite of all tries."""


def migrate(
    url: str,
    lines: Sequence[MigrationLine],
    *,
    server_role: str | None = None,
    upkeep: Mapping[str, Sequence[Upkeep]] = MappingProxyType({}),
    report: Report = lambda _: None,
) -> dict[str, str]:
    """Brings each line to its newest revision, one after the other, each with the rights that the server's role has on
    its tables, in the last transaction of the line. The upkeep of the line, by its name, follows.

    Any number of processes may do so at once: one migrates after the other, and the later ones find nothing to do. What
    a later version has migrated is left as it is, with the rights that it granted, and given back: the revision, by the
    line's name. Where a line fails, those before it are done, and nothing of those after it. Raises MigrationError,
    UnavailableError or DatabaseError.
    """
    scripts = {line.name: line.script() for line in lines}
    newer: dict[str, str] = {}
    with _explain_errors(), _lock_out_others(url, report) as connection:
        if server_role is not None:
            _ensure_role(connection, server_role)
        for line in lines:
            revision = _find_revision(connection, line)
            match SchemaAge.of(revision, scripts[line.name]):
                case SchemaAge.NEWER:
                    newer[line.name] = str(revision)
                case SchemaAge.UNKNOWN:
                    raise MigrationError(_describe_unknown(line, revision, scripts[line.name].get_current_head()))
        for line in lines:
            if line.name not in newer:
                with _explain_errors_of(line):
                    _with_locks(partial(command.upgrade, _config_of(url, line, server_role), "head"), report)
                    _keep_up(url, upkeep.get(line.name, ()), report)
    return newer


def _ensure_role(connection: Connection, role: str) -> None:
    """Before anything is changed: of several migrations, those before the last may be committed when rights are given.

    PostgreSQL says it in its own words, as it would later.
    """
    statement = sql.SQL("SELECT has_database_privilege({}, current_database(), 'CONNECT')").format(sql.Literal(role))
    connection.exec_driver_sql(statement.as_string().replace("%", "%%"))


def _config_of(url: str, line: MigrationLine, server_role: str | None) -> Config:
    config = migration_config(url, line)
    if server_role is not None:
        grants = {**line.grants, line.version_table: "SELECT"}  # the server reads which revision there is
        config.attributes["finish"] = partial(
            _finish, role=server_role, grants=grants, functions=line.functions, name=line.name
        )
    return config


def _finish(connection: Connection, *, role: str, grants: Grants, functions: Sequence[str], name: str) -> None:
    found = inspect(connection)
    for table in grants:
        if not found.has_table(table):
            raise MigrationError(f"none makes the table {table}: `gatehouse new-migration {name}` writes one.")
    grant_to_server(connection, role, grants, functions)


def _describe_unknown(line: MigrationLine, revision: str | None, head: str | None) -> str:
    what, whose = ("The database schema has", "one of Gatehouse's")
    if not line.is_own:
        what, whose = (f"The tables of {line.name} have", f"one of {line.name}")
    return (
        f"{what} the revision {revision!r}, which is not {whose} (this version "
        f"knows those up to {head}): is it the right database? Nothing was changed."
    )


def open_owner(url: str) -> Engine:
    """Each connection of it has the time limits of a migration. The URL leads to PostgreSQL itself: a proxy that pools
    transactions would hand the limits on to others. Errors quote no parameters, which are rows.
    """
    return create_engine(
        "postgresql+psycopg://", creator=lambda: _connect(url), poolclass=NullPool, hide_parameters=True
    )


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


def _find_revision(connection: Connection, line: MigrationLine) -> str | None:
    """Without parameters: a statement with some keeps its snapshot, for which CREATE INDEX CONCURRENTLY would wait."""
    has_table = sql.SQL("SELECT to_regclass({})").format(sql.Literal(line.version_table))
    if connection.exec_driver_sql(has_table.as_string()).scalar_one() is None:
        return None
    statement = sql.SQL("SELECT version_num FROM {}").format(sql.Identifier(line.version_table))
    revisions: list[str] = sorted(connection.exec_driver_sql(statement.as_string()).scalars())
    return ", ".join(revisions) if revisions else None  # more than one are unknown


def _keep_up(url: str, upkeep: Sequence[Upkeep], report: Report) -> None:
    """What does not get its lock is left for the next time: no server depends on it yet."""
    for keep_up in upkeep:
        with open_owner(url).connect() as connection:
            try:
                _with_locks(partial(keep_up, connection, report), report)
            except _NoLockError as error:
                report(str(error))


def _with_locks(act: Callable[[], None], report: Report) -> None:
    """What does not get a lock in time is rolled back, lets others pass, and is tried again."""
    for tries_left in reversed(range(LOCK_TRIES)):
        try:
            act()
        except DBAPIError as error:
            if not isinstance(error.orig, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
                raise
            statement = " ".join((error.statement or "").split())
            if not tries_left:
                raise _NoLockError(
                    f"Another transaction holds what is to be changed (after {LOCK_TRIES} tries): {statement:.120}. "
                    "See which one in pg_stat_activity, and run `gatehouse migrate` again."
                ) from None
            report(f"Another transaction holds what is to be changed; trying again: {statement:.120}")
            time.sleep(PAUSE_SECONDS)
        else:
            return


@contextmanager
def _explain_errors_of(line: MigrationLine) -> Iterator[None]:
    """A line from outside is named. What its code raises is no fault of Gatehouse's."""
    if line.is_own:
        yield
        return
    try:
        with _explain_errors():
            yield
    except UnavailableError:
        raise
    except (MigrationError, DatabaseError) as error:
        raise MigrationError(f"In the migrations of {line.name}: {error}") from None
    except Exception as error:  # noqa: BLE001  # whatever a migration raises
        raise MigrationError(f"In the migrations of {line.name}: {explain_error(error, line.has_code)}") from None


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
