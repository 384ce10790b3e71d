"""A million users, with sessions and audit events, and what PostgreSQL does to answer about them."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import AsyncRowFactory

from gatehouse.common.infrastructure.database import Database, Parameters
from tests.conftest import SERVER_ROLE, SERVER_URL, TEMPLATE, with_database

ROWS: Final = 1_000_000
NAME: Final = "gatehouse_million"
_UNFINISHED: Final = f"{NAME}_unfinished"

# 10 000 active admins and one that is not: on either side of what is counted. In the order of the filters' columns,
# which is the fastest to index.
_SEED: Final[list[LiteralString]] = [
    """
    INSERT INTO users (id, username, role, is_active, password_hash, must_change_password, created_at, updated_at)
    SELECT lpad(to_hex(n), 32, '0')::uuid, 'user' || to_hex(n::bigint * 7919 % 1000003),
        CASE WHEN n <= 10001 THEN 'admin' WHEN n <= 10011 THEN 'super_admin' ELSE 'user' END,
        n NOT IN (1, 10002) AND n NOT BETWEEN 10012 AND 100000, '', false,
        timestamptz '2020-01-01Z' + n * interval '1 s',
        timestamptz '2024-01-01Z' + n::bigint * 104729 % 1000003 * interval '1 s'
    FROM generate_series(1, 1000000) AS n
    """,
    """
    INSERT INTO sessions (secret_hash, id, user_id, created_at, last_seen_at, idle_expires_at, expires_at)
    SELECT sha256(n::text::bytea), lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(n * 20), 32, '0')::uuid,
        now(), now(), now() + interval '1 h', now() + interval '1 h'
    FROM generate_series(1, 20000) AS n
    """,
    """
    INSERT INTO audit_events (id, at, action, outcome, actor, target)
    SELECT lpad(to_hex(n), 32, '0')::uuid, timestamptz '2020-01-01Z' + n / 3 * interval '1 s',
        CASE WHEN n % 50 = 0 THEN 'grant_admin' ELSE 'log_in' END, 'succeeded', 'user' || n % 50, 'user' || n % 70
    FROM generate_series(1, 50000) AS n
    """,
]
_INDEXES: Final = """
    SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'users' AND indexname LIKE 'ix_%'
"""


def million_url() -> str:
    """Of the one such database of a run, which whoever comes first makes. As the server's role."""
    with psycopg.connect(os.environ[SERVER_URL], autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(1000000)")
        if server.execute("SELECT FROM pg_database WHERE datname = %s", [NAME]).fetchone() is None:
            server.execute(f"CREATE DATABASE {_UNFINISHED} TEMPLATE {TEMPLATE}")
            with psycopg.connect(with_database(os.environ[SERVER_URL], _UNFINISHED), autocommit=True) as owner:
                _seed(owner)
            server.execute(f"ALTER DATABASE {_UNFINISHED} RENAME TO {NAME}")
    return make_conninfo(with_database(os.environ[SERVER_URL], NAME), user=SERVER_ROLE)


def _seed(owner: psycopg.Connection) -> None:
    owner.execute("SET maintenance_work_mem = '256MB'")
    for table in ("sessions", "users", "audit_events"):
        owner.execute(sql.SQL("ALTER TABLE {} SET UNLOGGED").format(sql.Identifier(table)))
    indexes = owner.execute(_INDEXES).fetchall()
    for name, _ in indexes:
        owner.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    owner.execute("ALTER TABLE users DROP CONSTRAINT uq_users_username")
    for statement in _SEED:
        owner.execute(statement)
    owner.execute("ALTER TABLE users ADD CONSTRAINT uq_users_username UNIQUE (username)")
    for _, definition in indexes:
        owner.execute(definition)
    owner.execute("VACUUM ANALYZE users, sessions, audit_events")


@dataclass(frozen=True)
class Asked:
    """A statement as it went to the driver."""

    sql: str
    parameters: Parameters
    is_prepared: bool


class RecordingDatabase(Database):
    """Answers as ever, and keeps what it was asked."""

    def __init__(self, url: str) -> None:
        super().__init__(url, 1)
        self.asked: list[Asked] = []

    async def fetch_all[Row](
        self, sql: str, parameters: Parameters, rows: AsyncRowFactory[Row], *, prepare: bool | None = None
    ) -> list[Row]:
        self.asked.append(Asked(sql, parameters, prepare is not False))
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


def explain(connection: psycopg.Connection, asked: Asked) -> Iterator[Plan]:
    """Planned for its parameters, as a statement is at first, and then, if it gets prepared, for any parameters."""
    for mode in ("force_custom_plan", "force_generic_plan")[: 1 + asked.is_prepared]:
        yield explain_in(connection, asked, mode)


def explain_in(connection: psycopg.Connection, asked: Asked, mode: str, *, executions: int = 1) -> Plan:
    """The plan of the last of so many executions."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", asked.sql)))
    text = re.sub(r"%\((\w+)\)s", lambda match: f"${names.index(match[1]) + 1}", asked.sql)
    values = sql.SQL(", ").join(sql.Literal(asked.parameters[name]) for name in names)
    arguments = sql.SQL("({})").format(values) if names else sql.SQL("")
    connection.execute("SELECT set_config('plan_cache_mode', %s, false)", [mode])
    connection.execute(f"PREPARE asked AS {text}".encode())
    try:
        for _ in range(executions):
            command = sql.SQL("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE asked {}").format(arguments)
            row = connection.execute(command).fetchone()
    finally:
        connection.execute("DEALLOCATE asked")
    assert row is not None
    return Plan(list(_flat(row[0][0]["Plan"])))


def _flat(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for below in node.get("Plans", []):
        yield from _flat(below)
