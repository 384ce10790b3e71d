"""What an operator does to anybody on the command line: passwords, sessions, throttled attempts."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from gatehouse.accounts.application.commands.end_all_sessions import EndAllSessions, Progress
from gatehouse.accounts.application.commands.log_in import LogIn
from gatehouse.accounts.application.commands.set_password import SetPassword
from gatehouse.accounts.domain.errors import InvalidCredentialsError
from gatehouse.testing.fakes import PASSWORD
from tests.integration.command_line import Gatehouse
from tests.integration.conftest import DatabaseMonitor
from tests.integration.harness import Harness

pytestmark = pytest.mark.slow  # each on a database of its own, with the whole command line

NEW_PASSWORD = "lantern orchard quiet violin"
INSERT_SESSIONS: LiteralString = """
    INSERT INTO sessions (secret_hash, id, user_id, created_at, last_seen_at, idle_expires_at, expires_at)
    SELECT sha256(n::text::bytea), gen_random_uuid(), (SELECT id FROM users WHERE username = %(username)s),
        %(at)s, %(at)s, now() + interval '1 h', now() + interval '1 h'
    FROM generate_series(1, %(number)s) AS n
"""


@pytest.fixture
def chief(gatehouse: Gatehouse) -> str:
    assert gatehouse("create-super-admin", "--password-stdin", "chief", stdin=PASSWORD).code == 0
    return "chief"


def add_sessions(owner: psycopg.Connection, username: str, number: int, *, at: datetime | None = None) -> None:
    owner.execute(INSERT_SESSIONS, {"username": username, "number": number, "at": at or datetime.now(UTC)})


def count(owner: psycopg.Connection, table: str) -> int:
    statement = psycopg.sql.SQL("SELECT FROM {}").format(psycopg.sql.Identifier(table))
    return owner.execute(statement).rowcount


def actions(owner: psycopg.Connection) -> list[tuple[str, str | None]]:
    return owner.execute("SELECT action, target FROM audit_events WHERE actor IS NULL ORDER BY at, id").fetchall()[1:]


def test_a_super_admins_password_is_set_from_standard_input(
    gatehouse: Gatehouse, own_owner: psycopg.Connection, chief: str
) -> None:
    add_sessions(own_owner, chief, 3)
    before = own_owner.execute("SELECT password_hash, role, is_active FROM users").fetchone() or ()

    answer = gatehouse("set-password", "--password-stdin", "Chief", stdin=f"{NEW_PASSWORD}\n")

    assert answer == (
        0,
        "Set the password of chief, to be changed at the next login; the sessions have ended.\n",
        "",
    )
    after = own_owner.execute("SELECT password_hash, role, is_active, must_change_password FROM users").fetchone() or ()
    assert after[0] != before[0]
    assert after[1:] == ("super_admin", True, True)
    assert count(own_owner, "sessions") == 0
    assert actions(own_owner) == [("set_password", "chief")]


@pytest.mark.parametrize(
    ("name", "password", "line"),
    [
        ("nobody", NEW_PASSWORD, "There is no such user."),
        ("chief", "too short", "password: Must have 15 to 128 characters."),
    ],
)
@pytest.mark.usefixtures("chief")
def test_a_password_that_is_not_set_is_one_line(
    gatehouse: Gatehouse, own_owner: psycopg.Connection, name: str, password: str, line: str
) -> None:
    assert gatehouse("set-password", "--password-stdin", name, stdin=password) == (1, "", f"gatehouse: {line}\n")
    assert actions(own_owner) == []


@pytest.mark.promise("R9")
@pytest.mark.usefixtures("chief")
def test_where_no_terminal_can_ask_for_the_password_it_is_one_line(own_owner: psycopg.Connection) -> None:
    answer = subprocess.run(
        [Path(sys.executable).with_name("gatehouse"), "set-password", "chief"],
        input=f"{NEW_PASSWORD}\n{NEW_PASSWORD}\n".encode(),
        start_new_session=True,  # else it would ask at the terminal that runs the tests
        capture_output=True,
        check=False,
    )

    line = b"gatehouse: password: Nobody can be asked for it here: give it with --password-stdin.\n"
    assert (answer.returncode, answer.stdout, answer.stderr) == (1, b"", line)
    assert actions(own_owner) == []


@pytest.mark.promise("S9")
async def test_a_login_with_the_old_password_that_is_under_way_leaves_no_session(
    harness: Harness, monitor: DatabaseMonitor
) -> None:
    alice = await harness.add_user("alice")
    harness.hashing.stop_next()
    login = harness.start(LogIn, None, "alice", PASSWORD)
    await harness.hashing.until_reached()

    setting = harness.start(SetPassword, None, "alice", lambda: NEW_PASSWORD)
    await setting
    harness.hashing.open()

    with pytest.raises(InvalidCredentialsError):
        await login
    assert await monitor.sessions_of(alice.id) == 0


@pytest.mark.parametrize(("number", "line"), [(0, "Ended 0 sessions of chief.\n"), (1, "Ended 1 session of chief.\n")])
def test_all_sessions_of_a_user_are_ended(
    gatehouse: Gatehouse, own_owner: psycopg.Connection, chief: str, number: int, line: str
) -> None:
    add_sessions(own_owner, chief, number)

    assert gatehouse("end-sessions", "Chief") == (0, line, "")

    assert count(own_owner, "sessions") == 0
    assert actions(own_owner) == [("end_sessions_by_hand", "chief")] * number


def test_the_sessions_of_nobody_are_one_line(gatehouse: Gatehouse) -> None:
    assert gatehouse("end-sessions", "nobody") == (1, "", "gatehouse: There is no such user.\n")


def test_everybodys_sessions_are_ended_in_batches_with_one_event(
    gatehouse: Gatehouse, own_owner: psycopg.Connection, chief: str
) -> None:
    add_sessions(own_owner, chief, 2_500)

    answer = gatehouse("end-sessions", "--all", "--yes")

    assert answer == (0, "Ended 2500 sessions.\n", "")
    assert count(own_owner, "sessions") == 0
    assert actions(own_owner) == [("end_all_sessions", None)]
    assert gatehouse("end-sessions", "--all", "--yes").out == "Ended 0 sessions.\n"
    assert len(actions(own_owner)) == 1


async def test_a_batch_locks_no_more_than_its_rows_and_sessions_opened_later_stay(
    harness: Harness, own_owner: psycopg.Connection
) -> None:
    await harness.add_user("alice")
    add_sessions(own_owner, "alice", 2_500, at=harness.clock.at)

    progress: Progress = await harness.call(EndAllSessions, None)
    own_owner.execute("UPDATE sessions SET created_at = created_at + interval '1 hour'")

    assert (progress.ended, count(own_owner, "sessions")) == (1000, 1500)
    while not progress.is_done:
        progress = await harness.call(EndAllSessions, None, progress)
    assert (progress.ended, count(own_owner, "sessions")) == (1000, 1500)


async def test_two_operators_who_end_everything_at_once_do_not_deadlock(
    harness: Harness, own_owner: psycopg.Connection
) -> None:
    await harness.add_user("alice")
    add_sessions(own_owner, "alice", 3_000, at=harness.clock.at)

    async def end_all() -> None:
        progress = await harness.call(EndAllSessions, None)
        while not progress.is_done:
            progress = await harness.call(EndAllSessions, None, progress)

    await asyncio.gather(end_all(), end_all())

    assert count(own_owner, "sessions") == 0


@pytest.mark.parametrize("arguments", [(), ("chief", "--all"), ("--all",)])
def test_whose_sessions_and_that_it_is_meant_must_be_said(
    gatehouse: Gatehouse, own_owner: psycopg.Connection, chief: str, arguments: tuple[str, ...]
) -> None:
    add_sessions(own_owner, chief, 1)

    answer = gatehouse("end-sessions", *arguments)

    assert (answer.code, answer.out) == (2, "")
    assert count(own_owner, "sessions") == 1


@pytest.mark.parametrize(("answer", "left"), [("y", 0), ("n", 1), ("", 1)])
def test_at_a_terminal_the_operator_is_asked(
    gatehouse: Gatehouse, own_owner: psycopg.Connection, chief: str, answer: str, left: int
) -> None:
    add_sessions(own_owner, chief, 1)

    assert gatehouse("end-sessions", "--all", stdin=f"{answer}\n", at_terminal=True).code == left

    assert count(own_owner, "sessions") == left


def test_it_is_told_what_was_forgotten(gatehouse: Gatehouse, own_owner: psycopg.Connection) -> None:
    next_at = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
    for key in ("password:alice:192.0.2.1", "password:192.0.2.1", "sign-up:192.0.2.1", "password:None:192.0.2.1"):
        own_owner.execute("INSERT INTO attempts VALUES (%s, 7, %s, %s)", [key, next_at, next_at + timedelta(hours=1)])

    until = "; the next had to wait until 2026-05-04 12:30:00 UTC.\n"
    assert gatehouse("unthrottle", "Alice") == (0, f"Forgot 7 passwords for alice from 192.0.2.1{until}", "")
    assert gatehouse("unthrottle", "Alice") == (0, "Nothing was counted against alice.\n", "")
    code, out, err = gatehouse("unthrottle", "192.0.2.1")
    assert (code, sorted(out.splitlines(keepends=True)), err) == (
        0,
        [
            f"Forgot 7 passwords for names that nobody can have from 192.0.2.1{until}",
            f"Forgot 7 passwords from 192.0.2.1{until}",
            f"Forgot 7 sign-ups from 192.0.2.1{until}",
        ],
        "",
    )
    assert count(own_owner, "attempts") == 0


def test_of_many_counts_the_first_are_told(gatehouse: Gatehouse, own_owner: psycopg.Connection) -> None:
    own_owner.execute("""
        INSERT INTO attempts SELECT 'password:user' || n || ':192.0.2.1', 1, now(), now() FROM generate_series(1, 50) AS
        n
    """)

    lines = gatehouse("unthrottle", "192.0.2.1").out.splitlines()

    assert (len(lines), lines[-1]) == (21, "And 30 more.")


def test_what_is_neither_name_nor_address_is_one_line(gatehouse: Gatehouse) -> None:
    answer = gatehouse("unthrottle", "no")

    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("gatehouse: username: Must be 5 to 20 ")
