"""A million users, with sessions and audit events, and what PostgreSQL does to answer about them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import AsyncRowFactory

from gatehouse.common.infrastructure.database import Database, Parameters
from gatehouse.common.infrastructure.metadata import metadata
from gatehouse.testing.database import SERVER_ROLE
from gatehouse.testing.server import TEMPLATE, server_url, with_database
from tests.integration.all_database_cases import ALL_DATABASE_CASES

ROWS: Final = 1_000_000
NAME: Final = "gatehouse_million"
_UNFINISHED: Final = f"{NAME}_unfinished"

_INDEXES: Final = """
    SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'users' AND indexname LIKE 'ix_%'
"""


def million_url() -> str:
    """Of the one such database of a run, which whoever comes first makes. As the server's role."""
    with psycopg.connect(server_url(), autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(1000000)")
        if server.execute("SELECT FROM pg_database WHERE datname = %s", [NAME]).fetchone() is None:
            # Left by a worker whose seeding failed: that error is the one to see, not that this name is taken.
            server.execute(f"DROP DATABASE IF EXISTS {_UNFINISHED} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {_UNFINISHED} TEMPLATE {TEMPLATE}")
            with psycopg.connect(with_database(server_url(), _UNFINISHED), autocommit=True) as owner:
                _seed(owner)
            server.execute(f"ALTER DATABASE {_UNFINISHED} RENAME TO {NAME}")
    return make_conninfo(with_database(server_url(), NAME), user=SERVER_ROLE)


def _seed(owner: psycopg.Connection) -> None:
    owner.execute("SET maintenance_work_mem = '256MB'")
    # A logged table may not refer to an unlogged one, so the tables that refer to others come first.
    for table in reversed(metadata.sorted_tables):
        if table.dialect_options["postgresql"]["partition_by"]:
            continue  # PostgreSQL sets only the partitions of such a table
        owner.execute(sql.SQL("ALTER TABLE {} SET UNLOGGED").format(sql.Identifier(table.name)))
    indexes = owner.execute(_INDEXES).fetchall()
    for name, _ in indexes:
        owner.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    owner.execute("ALTER TABLE users DROP CONSTRAINT uq_users_username")
    for statement in (statement for cases in ALL_DATABASE_CASES for statement in cases.million_rows):
        owner.execute(statement)
    owner.execute("ALTER TABLE users ADD CONSTRAINT uq_users_username UNIQUE (username)")
    for _, definition in indexes:
        owner.execute(definition)
    owner.execute("VACUUM ANALYZE")


@dataclass(frozen=True)
class ExecutedStatement:
    """A statement as it went to the driver."""

    sql: str
    parameters: Parameters
    is_prepared: bool


class RecordingDatabase(Database):
    """Answers as ever, and keeps what it was statement."""

    def __init__(self, url: str) -> None:
        super().__init__(url, 1)
        self.statements: list[ExecutedStatement] = []

    async def fetch_all[Row](
        self, sql: str, parameters: Parameters, rows: AsyncRowFactory[Row], *, prepare: bool | None = None
    ) -> list[Row]:
        self.statements.append(ExecutedStatement(sql, parameters, prepare is not False))
        return await super().fetch_all(sql, parameters, rows, prepare=prepare)


@dataclass(frozen=True)
class Plan:
    """What a statement did, node by node."""

    nodes: list[Mapping[str, Any]]

    @property
    def scans(self) -> list[Mapping[str, Any]]:
        """Of tables, as far as they were carried out."""
        return [node for node in self.nodes if "Relation Name" in node and node["Actual Loops"]]

    @property
    def sequential(self) -> list[str]:
        return [node["Relation Name"] for node in self.nodes if node["Node Type"] == "Seq Scan"]

    @property
    def tables(self) -> set[str]:
        """Of which rows may be read: PostgreSQL has planned for them."""
        return {node["Relation Name"] for node in self.nodes if "Relation Name" in node}

    @property
    def indexes(self) -> set[str]:
        return {node["Index Name"] for node in self.nodes if "Index Name" in node}

    @property
    def rows_read(self) -> int:
        """Found and then dropped ones included."""
        return round(sum(map(_rows_of, self.scans)))

    @property
    def rows_sorted(self) -> int:
        sorts = [node for node in self.nodes if node["Node Type"] in ("Sort", "Incremental Sort")]
        return round(max((_rows_of(below) for node in sorts for below in node["Plans"]), default=0))

    @property
    def pages_read(self) -> int:
        top = self.nodes[0]
        return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


def _rows_of(node: Mapping[str, Any]) -> float:
    dropped = ("Rows Removed by Filter", "Rows Removed by Index Recheck", "Rows Removed by Join Filter")
    rows: float = node["Actual Rows"] + sum(node.get(why, 0) for why in dropped)
    return rows * float(node["Actual Loops"])


def explain(connection: psycopg.Connection, statement: ExecutedStatement) -> Iterator[Plan]:
    """Planned for its parameters, as a statement is at first, and then, if it gets prepared, for any parameters."""
    for mode in ("force_custom_plan", "force_generic_plan")[: 1 + statement.is_prepared]:
        yield explain_in(connection, statement, mode)


def explain_in(connection: psycopg.Connection, statement: ExecutedStatement, mode: str, *, executions: int = 1) -> Plan:
    """The plan of the last of so many executions."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement.sql)))
    text = re.sub(r"%\((\w+)\)s", lambda match: f"${names.index(match[1]) + 1}", statement.sql)
    values = sql.SQL(", ").join(sql.Literal(statement.parameters[name]) for name in names)
    arguments = sql.SQL("({})").format(values) if names else sql.SQL("")
    connection.execute("SELECT set_config('plan_cache_mode', %s, false)", [mode])
    connection.execute(f"PREPARE explained AS {text}".encode())
    try:
        for _ in range(executions):
            command = sql.SQL("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE explained {}").format(
                arguments
            )
            row = connection.execute(command).fetchone()
    finally:
        connection.execute("DEALLOCATE explained")
    assert row is not None
    return Plan(list(_flat(row[0][0]["Plan"])))


def _flat(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for below in node.get("Plans", []):
        yield from _flat(below)
