"""docs/operations/backup.md: what its commands save comes back by its commands, and nothing that must not."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg
import pytest

from gatehouse.testing.fakes import PASSWORD
from tests.system.compose import API, MIGRATE, write_address
from tests.system.debian_postgres import DebianPostgres, as_unprivileged, debian_postgres, programs
from tests.system.deployment import OnThisMachine
from tests.system.page import FOLDER, blocks, fill_in, snippet

PAGE = FOLDER / "backup.md"
DUMP = snippet("sh", "pg_dump", PAGE)
RESTORE = snippet("sh", 'psql "$NEW_SUPERUSER_URL"', PAGE)
ARCHIVE = snippet("ini", "archive_mode", PAGE)
BASE_BACKUP = snippet("sh", "mkdir", PAGE)
GO_BACK = snippet("sh", "pg_ctl stop", PAGE)
AFTERWARDS = snippet("sh", "gatehouse migrate", PAGE)
DECIDED = snippet("sh", 'psql "$OLD_URL" --command', PAGE)
ERASED = snippet("sh", 'psql "$OLD_URL" --csv', PAGE)
ERASED_IN_THE_LOG = snippet("sh", "grep", PAGE)
ERASE_AGAIN = snippet("sh", 'psql "$NEW_OWNER_URL" --csv', PAGE)
SINCE, MOMENT = "2026-11-27 03:00:00+00", "2026-11-27 18:38:00+00"
HOST = {"host": "localhost"}


@dataclass
class Walk:
    """Chief, a super admin, and two users: Alice logs out after the backup, and Ursula is erased."""

    service: OnThisMachine
    postgres: DebianPostgres
    cookies: dict[str, str] = field(default_factory=dict)
    since: str = ""

    def begin(self) -> None:
        for username in ("alice", "ursula"):
            assert self.sign_up(username) == 201
        for username in ("alice", "chief"):
            self.cookies[username] = self.service.log_in(username).headers["set-cookie"].partition(";")[0]
        self.since = self.now()

    def go_on(self) -> None:
        assert self.call("alice", "DELETE", "account/logout") == 204
        assert self.call("chief", "DELETE", "users/ursula") == 204

    def sign_up(self, username: str) -> int:
        body = {"username": username, "password": PASSWORD}
        return httpx.post(self.url("account/signup"), headers=HOST, json=body, timeout=60).status_code

    def call(self, username: str, method: str, path: str) -> int:
        headers = {**HOST, "cookie": self.cookies[username]}
        return httpx.request(method, self.url(path), headers=headers, timeout=60).status_code

    def url(self, path: str) -> str:
        return f"{self.service.url}/api/v1/{path}"

    def now(self) -> str:
        with psycopg.connect(self.postgres.url("gatehouse")) as connection:
            row = connection.execute("SELECT clock_timestamp()::text").fetchone()
        assert row is not None
        return str(row[0])

    def run(self, commands: str, **variables: str | Path) -> str:
        """As the user who may start PostgreSQL, in its folder."""
        environ = {
            "PATH": f"{programs()}:{os.environ['PATH']}",
            "OWNER_URL": self.postgres.url("gatehouse"),
            "SUPERUSER_URL": self.postgres.url("postgres"),
            "OLD_URL": self.postgres.url("gatehouse"),
            **{name: str(value) for name, value in variables.items()},
        }
        with (self.postgres.folder / "commands.out").open("w+") as output:  # a server that it starts would keep a pipe
            result = subprocess.run(
                as_unprivileged(["sh", "-ec", commands]),
                cwd=self.postgres.folder, env=environ, stdout=output, stderr=output, timeout=120, check=False,
            )  # fmt: skip
            output.seek(0)
            text = output.read()
        assert result.returncode == 0, text
        return text

    def afterwards(self) -> None:
        result = self.service.run(MIGRATE, "sh", "-ec", AFTERWARDS)
        assert result.returncode == 0, result.stdout + result.stderr
        assert "sessions:   0 live" in result.stdout
        assert "the newest" in result.stdout

    def find_erased(self) -> str:
        return (self.postgres.folder / "erased").read_text()


@pytest.fixture
def walk(migrated: OnThisMachine, postgres: DebianPostgres) -> Walk:
    return Walk(migrated, postgres)


def fetch(url: str, statement: LiteralString, *values: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement, values).fetchall()


def trail(url: str, until: str) -> list[tuple[Any, ...]]:
    return fetch(url, "SELECT at, id, action, actor, target FROM audit_events WHERE at < %s ORDER BY at, id", until)


def test_each_block_of_commands_is_tried() -> None:
    tried = {DUMP, RESTORE, BASE_BACKUP, GO_BACK, AFTERWARDS, DECIDED, ERASED, ERASED_IN_THE_LOG, ERASE_AGAIN}
    assert set(blocks("sh", PAGE)) == tried


@pytest.fixture
def other_postgres() -> Iterator[DebianPostgres]:
    """Of another superuser, and without a role of the service."""
    with debian_postgres(superuser="admin") as server:
        yield server


def test_a_dump_comes_back_without_the_sessions_and_the_accounts_that_had_ended_since(
    walk: Walk, other_postgres: DebianPostgres, secrets: Path
) -> None:
    with walk.service.serve(API):
        walk.begin()
        walk.run(DUMP)
        walk.go_on()
    (walk.postgres.folder / "gatehouse.log").write_text(walk.service.log.read_text())
    old_url, superuser = walk.postgres.url("gatehouse"), other_postgres.url("postgres")
    new_url = f"postgresql://gatehouse:{walk.postgres.password}@127.0.0.1:{other_postgres.port}/gatehouse"

    walk.run(RESTORE, NEW_SUPERUSER_URL=superuser, NEW_OWNER_URL=new_url)
    for secret in ("postgres_url", "postgres_owner_url"):
        write_address(secrets / secret, other_postgres.port, instead_of=f"127.0.0.1:{walk.postgres.port}")
    walk.afterwards()

    partitions = "SELECT relname, pg_get_expr(relpartbound, oid) FROM pg_class WHERE relispartition ORDER BY relname"
    assert fetch(new_url, partitions) == fetch(old_url, partitions)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        fetch((secrets / "postgres_url").read_text(), "DELETE FROM audit_events")
    assert "erase_user" in walk.run(fill_in(DECIDED, {SINCE: walk.since}))
    walk.run(ERASED_IN_THE_LOG)
    in_the_log = walk.find_erased()
    walk.run(fill_in(ERASED, {SINCE: walk.since}))
    assert walk.find_erased() == in_the_log != ""
    with walk.service.serve(API):
        assert walk.call("alice", "GET", "account/me") == 401
        assert walk.service.log_in("alice").status_code == 204
        walk.cookies["chief"] = walk.service.log_in("chief").headers["set-cookie"].partition(";")[0]
        assert walk.call("chief", "GET", "users/ursula") == 200

        erase_again(walk, new_url)

        assert walk.call("chief", "GET", "users/ursula") == 404
        assert walk.call("chief", "GET", "users/alice") == 200
        assert walk.sign_up("ursula") == 409
    assert trail(new_url, walk.since) == trail(old_url, walk.since)


def erase_again(walk: Walk, url: str) -> None:
    name, _, value = walk.cookies["chief"].partition("=")
    # As curl writes it after a login over TLS.
    jar = f"localhost\tFALSE\t/\tTRUE\t0\t{name}\t{value}\n"
    (walk.postgres.folder / "chief.jar").write_text(f"# Netscape HTTP Cookie File\n{jar}")
    walk.run(ERASE_AGAIN, NEW_OWNER_URL=url, API=f"http://localhost:{walk.service.port}/api/v1")


def test_without_the_pepper_no_password_verifies(walk: Walk, secrets: Path) -> None:
    (secrets / "password_pepper").write_text("another one, long enough and quite wrong")
    with walk.service.serve(API):
        assert walk.service.log_in().status_code == 401


def test_a_base_backup_goes_to_any_moment_since(walk: Walk) -> None:
    postgres = walk.postgres
    backup = {"/srv/backup": postgres.folder / "backup"}
    walk.run("mkdir -p backup/log")
    postgres.configure(fill_in(ARCHIVE, backup))
    postgres.stop("fast")
    postgres.start()
    with walk.service.serve(API):
        walk.run(fill_in(BASE_BACKUP, backup))
        walk.begin()
        walk.go_on()
        moment = walk.now()
        assert walk.sign_up("later") == 201
    rows_before = trail(postgres.url("gatehouse"), moment)

    walk.run(fill_in(GO_BACK, {**backup, MOMENT: moment}), PGDATA=postgres.data)
    walk.afterwards()

    assert trail(postgres.url("gatehouse"), moment) == rows_before
    with walk.service.serve(API):
        assert walk.service.log_in("alice").status_code == 204
        assert walk.service.log_in("ursula").status_code == 401
        assert walk.service.log_in("later").status_code == 401
