"""The database to measure on, and a session to measure with."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from uuid6 import uuid7

from benchmarks.progress import tell, told
from benchmarks.root import ROOT
from gatehouse.accounts.domain.session import hash_secret, new_secret
from gatehouse.accounts.infrastructure.tokens import JwtSessionTokens
from gatehouse.common.infrastructure.embedded_postgres import embedded_postgres
from gatehouse.common.infrastructure.grants import ensure_role
from gatehouse.common.infrastructure.migrations import migrate
from gatehouse.common.presentation.cli.progress import ProgressReport
from gatehouse.setup.modules import MODULES

DATA_DIR: Final = ROOT / ".data/benchmarks"
SERVER_ROLE: Final = "gatehouse_server"
JWT_SECRET: Final = secrets.token_hex(32)
PASSWORD_PEPPER: Final = secrets.token_hex(32)
ADMIN: Final = "benchmark.admin"
_COLUMNS: Final = "id, username, role, is_active, password_hash, must_change_password, created_at, updated_at"
_FIRST_DAY: Final = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class BenchmarkDatabase:
    """A seeded database, and the cookie value of an admin's session."""

    owner_url: str
    server_url: str
    token: str


@contextmanager
def embedded_server() -> Iterator[str]:
    with embedded_postgres(DATA_DIR / "postgres") as url:
        ensure_role(url, SERVER_ROLE)
        yield url


def prepare_database(server_url: str, rows: int, admin: str = ADMIN) -> BenchmarkDatabase:
    """A database of so many users; one that is there already is used again. Each process has secrets of its own, so
    two that use it at once need an admin each.
    """
    name = f"users_{rows}"
    owner_url = make_conninfo(server_url, dbname=name)
    with psycopg.connect(server_url, autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    migrate(owner_url, MODULES.migration_lines, server_role=SERVER_ROLE)
    with psycopg.connect(owner_url) as connection:
        (present,) = connection.execute("SELECT count(*) FROM (SELECT FROM users LIMIT %s)", [rows]).fetchone() or (0,)
        if present < rows:
            _seed(connection, rows)
        token = _log_in(connection, admin)
    tell("cleaning up")
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return BenchmarkDatabase(owner_url, make_conninfo(owner_url, user=SERVER_ROLE), token)


def _seed(connection: psycopg.Connection, rows: int) -> None:
    """Nine in ten users are active, one in a thousand is an admin. COPY, and the indexes afterwards."""
    indexes = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'users' AND indexname LIKE 'ix_%'"
    ).fetchall()
    for index, _ in indexes:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(index)))
    connection.execute("TRUNCATE users CASCADE")
    tell(f"adding {rows} users")
    with connection.cursor().copy(f"COPY users ({_COLUMNS}) FROM STDIN") as copy, ProgressReport() as report:
        for start in range(0, rows, 10_000):
            end = min(start + 10_000, rows)
            copy.write("".join(_line(number) for number in range(start, end)))
            report.update(end, end / rows)
    for _, definition in told("their indexes", indexes, "indexes"):
        connection.execute(definition)


def _line(number: int) -> str:
    # Multiplying by a number coprime to 2**32 scatters the names, so that order of creation and of names differ.
    name = f"{'abcdefghijklmnopqrstuvwxyz'[number % 26]}user{number * 2_654_435_761 % 2**32:010}"
    role = "admin" if number % 1000 == 0 else "user"
    at = (_FIRST_DAY + timedelta(seconds=number * 7)).isoformat()
    return f"{UUID(int=number + 1)}\t{name}\t{role}\t{number % 10 != 0}\tno hash\tfalse\t{at}\t{at}\n"


def _log_in(connection: psycopg.Connection, admin: str) -> str:
    now = datetime.now(UTC)
    connection.execute("DELETE FROM users WHERE username = %s", [admin])
    admin_id = uuid7()
    connection.execute(
        f"INSERT INTO users ({_COLUMNS}) VALUES (%s, %s, 'super_admin', true, 'no hash', false, %s, %s)",
        [admin_id, admin, now, now],
    )
    secret, expires_at = new_secret(), now + timedelta(hours=12)
    connection.execute(
        """
        INSERT INTO sessions (secret_hash, id, user_id, created_at, last_seen_at, idle_expires_at, expires_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        [hash_secret(secret), uuid7(), admin_id, now, now, expires_at, expires_at],
    )
    return JwtSessionTokens([JWT_SECRET]).encode(secret, issued_at=now, expires_at=expires_at)
