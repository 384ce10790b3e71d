"""How the service is doing, for an operator: what `gatehouse status` says.

Read with a connection of its own and not through use cases, since it must say something also where the schema is
missing, older or newer. Bounded at any size.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql
from psycopg.abc import PQGen
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from gatehouse.common.infrastructure import database_connection, status
from gatehouse.common.infrastructure.database_connection import NoAnswerError, explain_no_connection
from gatehouse.common.infrastructure.migration_lines import MigrationLine, SchemaAge
from gatehouse.common.infrastructure.status import ReadSection, Section, StatusLine
from gatehouse.common.modules import Modules
from gatehouse.common.settings import ConfigError


class Connection(psycopg.Connection[dict[str, Any]]):
    def wait[Answer](self, gen: PQGen[Answer], interval: float = 0.1, timeout: float | None = None) -> Answer:
        """The driver waits here for the answer to every statement; a server that is frozen does not heed its limits."""
        try:
            limit = database_connection.ANSWER_WITHIN_SECONDS
            return super().wait(gen, interval, limit if timeout is None else timeout)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001  # named so in the method's documentation
            self.pgconn.finish()  # or the next statement, and the end, would wait as long again
            raise NoAnswerError from None


_CONNECT: Final[dict[str, str | int]] = {"connect_timeout": 3, "application_name": "gatehouse status"}
# In each transaction, so that they are in force behind a pooler, too. Nothing is written.
_LIMITS: Final = """
    SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '2s'; SET TRANSACTION READ ONLY;
    SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'
"""
_SERVER: Final[LiteralString] = """
    SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS is_replica,
        current_database() AS name, pg_database_size(current_database()) AS bytes
"""
_POSITION: Final[LiteralString] = "SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint AS position"
_REPLICA: Final[LiteralString] = """
    SELECT (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint AS position,
        extract(epoch FROM now() - pg_last_xact_replay_timestamp())::float AS seconds
"""
_PROBLEMS: Final[dict[type[psycopg.Error], str]] = {
    psycopg.errors.UndefinedTable: "is not there: run `gatehouse migrate`",
    psycopg.errors.UndefinedColumn: "is of another version: run `gatehouse migrate`",
    psycopg.errors.QueryCanceled: "takes longer than 5 s to read",
    NoAnswerError: "is not answered by the database",
    psycopg.errors.InsufficientPrivilege: "may not be read by this database role",
}
_AGES: Final = {
    SchemaAge.NEWEST: ", the newest",
    SchemaAge.NEWER: ", newer than this version knows ({0})",
    SchemaAge.OLDER: ", older than {0}: run `gatehouse migrate`",
    SchemaAge.UNKNOWN: ", which this version does not know (up to {0}): is it the right database?",
}


@dataclass(frozen=True, slots=True)
class Status:
    """By the name of the line. A section that could not be read has one entry, `problem`."""

    sections: dict[str, Section]
    descriptions: dict[str, Callable[[Section], str]]

    def lines(self) -> Iterator[str]:
        for name, section in self.sections.items():
            yield f"{name + ':':<12}{section.get('problem') or self.descriptions[name](section)}"


def read_status(url: str, replica_url: str, modules: Modules) -> Status:
    """Raises ConfigError, in one line, where the database is away."""
    with _connect(url) as connection:
        lines = [*_own_lines(connection, replica_url, modules), *(line for module in modules for line in module.status)]
        sections = {line.name: line.read(partial(_read, connection)) for line in lines}
    return Status(sections, {line.name: line.describe for line in lines})


def _own_lines(connection: Connection, replica_url: str, modules: Modules) -> list[StatusLine]:
    revisions = {line.name: _revision(connection, line) for line in modules.migration_lines}
    return [
        StatusLine("version", lambda _: {"gatehouse": version("gatehouse")}, lambda section: section["gatehouse"]),
        StatusLine("schema", lambda _: revisions, _describe_schema),
        StatusLine("database", lambda read: read(_SERVER), _describe_server),
        StatusLine("replica", lambda read: _replica(read, replica_url), _describe_replica),
    ]


@contextmanager
def _connect(url: str) -> Iterator[Connection]:
    try:
        connection = Connection.connect(make_conninfo(url, **_CONNECT), row_factory=dict_row)
    except (psycopg.OperationalError, UnicodeError) as error:
        raise ConfigError(explain_no_connection(error)) from None
    with connection:
        yield connection


def _read(connection: Connection, statement: LiteralString | sql.Composed, **parameters: object) -> Section:
    """What is missing, or takes too long, is told and no reason to leave out the rest."""
    try:
        with connection.transaction():
            connection.execute(_LIMITS)
            return connection.execute(statement, {"limit": status.LIMIT, **parameters}).fetchone() or {}
    except psycopg.Error as error:
        return {"problem": _PROBLEMS.get(type(error), f"cannot be read ({type(error).__name__})")}


def _revision(connection: Connection, line: MigrationLine) -> Section:
    statement = sql.SQL("SELECT string_agg(version_num, ', ' ORDER BY version_num) AS revision FROM {}")
    found = _read(connection, statement.format(sql.Identifier(line.version_table)))
    revision, script = found.get("revision"), line.script()
    age = SchemaAge.of(revision, script)
    return {"revision": revision, "newest_known": script.get_current_head(), "age": age.name.lower()}


def _describe_schema(section: Section) -> str:
    return "; ".join(
        f"{name} {line['revision'] or 'none'}{_AGES[SchemaAge[line['age'].upper()]].format(line['newest_known'])}"
        for name, line in section.items()
    )


def _describe_server(section: Section) -> str:
    role = "a replica" if section["is_replica"] else "the primary"
    return f"PostgreSQL {section['version']}, {role}, {section['name']}, {section['bytes'] / 1024**2:,.0f} MiB"


def _replica(read: ReadSection, url: str) -> Section:
    if not url:
        return {}
    primary = read(_POSITION)
    try:
        with _connect(url) as replica:
            found = _read(replica, _REPLICA)
    except ConfigError as error:
        return {"problem": str(error)}
    if "problem" in found or "problem" in primary:
        return {"problem": found.get("problem") or primary["problem"]}
    if found["position"] is None:
        return {"problem": "is no replica: it replays nothing"}
    behind = max(0, primary["position"] - found["position"])
    return {"bytes_behind": behind, "seconds_behind": round(found["seconds"] or 0, 1) if behind else 0}


def _describe_replica(section: Section) -> str:
    return f"{section['bytes_behind']:,} bytes, {section['seconds_behind']} s behind" if section else "none"
