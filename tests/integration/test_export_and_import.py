"""`gatehouse export-users` and `gatehouse import-users`, from their arguments to their exit codes, in this process."""

import csv
import io
import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from gatehouse.accounts.application.queries.export_users import ExportBlock
from gatehouse.accounts.presentation.cli import user_files
from gatehouse.accounts.presentation.cli.refused_rows import RefusedRows
from gatehouse.common.domain.errors import InvalidError
from gatehouse.testing.database import SERVER_ROLE
from gatehouse.testing.fakes import PASSWORD
from tests.integration.command_line import Gatehouse

pytestmark = pytest.mark.slow  # each on a database of its own, with the whole command line

BCRYPT = "$2b$04$x4iRfmL4k8HUkjcAFeQtuOfLb9RHhAsGXi.le7l8TYBUFICjW6W66"
ALL_ROLES = ("--highest-role", "super_admin", "--allow-reserved")


@pytest.fixture
def gatehouse(gatehouse: Gatehouse, own_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Gatehouse:
    """In an empty folder, with the rights of the server's role alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GATEHOUSE_POSTGRES__URL", make_conninfo(own_url, user=SERVER_ROLE))
    return gatehouse


def stored(owner: psycopg.Connection) -> list[dict[str, Any]]:
    with owner.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM users ORDER BY username").fetchall()


def events(owner: psycopg.Connection) -> list[tuple[Any, ...]]:
    return owner.execute("SELECT action, actor, subject_kind, subject_label FROM audit_events").fetchall()


def refused(path: str = "users.ndjson.refused") -> dict[int, str]:
    with Path(path).open(newline="") as file:
        return {int(row["line"]): row["reason"] for row in csv.DictReader(file)}


def write(*rows: dict[str, object] | bytes, name: str = "users.ndjson") -> str:
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    Path(name).write_bytes(b"".join(line + b"\n" for line in lines))
    return name


def seed(owner: psycopg.Connection, rows: int) -> None:
    owner.execute(
        """
        INSERT INTO users (id, username, role, is_active, must_change_password, created_at, updated_at, password_hash,
            last_login_at)
        SELECT gen_random_uuid(), 'user.' || n, CASE WHEN n %% 7 = 0 THEN 'admin' ELSE 'user' END, n %% 3 > 0,
            n %% 2 > 0, now() - n * interval '1 hour 1 microsecond', now(), CASE WHEN n %% 5 = 0 THEN '!' ELSE %s END,
            CASE WHEN n %% 2 = 0 THEN now() - n * interval '1 minute 1 microsecond' END
        FROM generate_series(1, %s) n
        """,
        [BCRYPT, rows],
    )


@pytest.mark.promise("Z10")
@pytest.mark.parametrize("form", ["ndjson", "csv"])
@pytest.mark.parametrize("rows", [1, 6_000])
def test_an_export_is_an_import(gatehouse: Gatehouse, own_owner: psycopg.Connection, form: str, rows: int) -> None:
    seed(own_owner, rows)
    before = stored(own_owner)

    answer = gatehouse("export-users", "--with-hashes", "--output", f"all.{form}")
    assert answer == (0, "", f"gatehouse: exported {rows} accounts.\n")
    own_owner.execute("DELETE FROM users")
    answer = gatehouse("import-users", *ALL_ROLES, f"all.{form}")

    assert answer == (0, "", f"gatehouse: {rows} added, 0 there already, 0 refused.\n")
    assert stored(own_owner) == before
    assert events(own_owner) == [("import_users", None, "import", f"{rows} added, 0 there already, 0 refused")]
    assert not Path(f"all.{form}.refused").exists()
    assert gatehouse("import-users", *ALL_ROLES, f"all.{form}").err.endswith(
        f"0 added, {rows} there already, 0 refused.\n"
    )
    assert len(events(own_owner)) == 1


@pytest.mark.promise("K2")
@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_hashes_are_exported_only_if_they_are_asked_for(
    gatehouse: Gatehouse, own_owner: psycopg.Connection, form: str
) -> None:
    seed(own_owner, 3)

    without, with_hashes = (gatehouse("export-users", "--format", form, *flag) for flag in ((), ("--with-hashes",)))

    assert BCRYPT not in without.out
    assert "password_hash" not in without.out
    assert BCRYPT in with_hashes.out


def test_each_line_of_an_export_is_readable_by_any_tool(gatehouse: Gatehouse, own_owner: psycopg.Connection) -> None:
    seed(own_owner, 4)
    own_owner.execute("""UPDATE users SET password_hash = E'"quoted", \\\\ and\\nbroken' WHERE username = 'user.1'""")

    ndjson = gatehouse("export-users", "--with-hashes").out
    rows = [json.loads(line) for line in ndjson.splitlines()]
    columns = list(csv.DictReader(io.StringIO(gatehouse("export-users", "--with-hashes", "--format", "csv").out)))

    expected = stored(own_owner)
    for row, column in zip(sorted(rows, key=lambda row: row["username"]), expected, strict=True):
        assert datetime.fromisoformat(row["created_at"]) == column["created_at"]
        assert row["last_login_at"] is None or (datetime.fromisoformat(row["last_login_at"]) == column["last_login_at"])
        times = {"created_at": 0, "updated_at": 0, "last_login_at": column["last_login_at"] is None}
        assert {**row, "id": column["id"], **times, "last_login_at": row["last_login_at"] is None} == {
            **column,
            **times,
        }
    assert [row["password_hash"] for row in rows] == [row["password_hash"] for row in columns]
    assert [row["created_at"] for row in rows] == [row["created_at"] for row in columns]
    assert {row["is_active"] for row in columns} == {"true", "false"}


def test_an_export_shows_one_moment_whatever_happens_meanwhile(
    gatehouse: Gatehouse, own_owner: psycopg.Connection, own_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(own_owner, 500)
    adapter = "gatehouse.accounts.infrastructure.queries.export_users"
    monkeypatch.setattr(f"{adapter}._PAGES", 1)
    moves = iter(range(3))

    def move_and_make(*arguments: Any) -> ExportBlock:
        if next(moves, None) is not None:
            with psycopg.connect(own_url) as connection:
                connection.execute("UPDATE users SET is_active = NOT is_active")
                connection.execute("DELETE FROM users WHERE username = 'user.500'")
        return ExportBlock(*arguments)

    monkeypatch.setattr(f"{adapter}.ExportBlock", move_and_make)
    before = {(row["username"], row["is_active"]) for row in stored(own_owner)}

    rows = [json.loads(line) for line in gatehouse("export-users").out.splitlines()]

    assert len(rows) == 500
    assert {(row["username"], row["is_active"]) for row in rows} == before


@pytest.mark.promise("R9")
def test_an_export_is_there_whole_or_not_at_all(
    gatehouse: Gatehouse, own_owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seed(own_owner, 3)
    Path("all.ndjson").write_text("the one from yesterday\n")
    fsync = os.fsync

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    answer = gatehouse("export-users", "-o", "all.ndjson")
    assert answer == (1, "", "gatehouse: No space left on device: all.ndjson.\n")
    assert Path("all.ndjson").read_text() == "the one from yesterday\n"
    assert [path.name for path in tmp_path.iterdir()] == ["all.ndjson"]

    monkeypatch.setattr(os, "fsync", fsync)
    assert gatehouse("export-users", "-o", "all.ndjson").code == 0
    assert len(Path("all.ndjson").read_text().splitlines()) == 3
    assert stat.S_IMODE(Path("all.ndjson").stat().st_mode) == 0o600


@pytest.mark.promise("R9")
def test_files_that_cannot_be_used_are_one_line(gatehouse: Gatehouse, tmp_path: Path) -> None:
    write({"username": "alice"})

    assert gatehouse("import-users", "missing.csv") == (1, "", "gatehouse: No such file or directory: missing.csv.\n")
    assert gatehouse("import-users", str(tmp_path)).err == f"gatehouse: Is a directory: {tmp_path}.\n"
    answer = gatehouse("import-users", "users.ndjson", "--refused", "no/folder/refused")
    assert answer == (1, "", "gatehouse: No such file or directory: no/folder/refused.\n")
    answer = gatehouse("import-users", "users.ndjson", "--refused", "users.ndjson")
    assert answer.err == "gatehouse: --refused: Must be another file than the one that is imported.\n"
    answer = gatehouse("export-users", "-o", "no/folder/all.csv")
    assert answer == (1, "", "gatehouse: No such file or directory: no/folder/all.csv.\n")
    assert gatehouse("import-users", "users.ndjson", "--format", "xml").code == 2


@pytest.mark.promise("R9")
@pytest.mark.parametrize("folder", ["", ".", "..", "/"])
def test_a_folder_is_nothing_to_export_to(gatehouse: Gatehouse, tmp_path: Path, folder: str) -> None:
    answer = gatehouse("export-users", "-o", folder)

    assert answer == (1, "", f"gatehouse: Is a directory: {Path(folder)}.\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.promise("R9")
@pytest.mark.parametrize("name", ["pipe", "link"])
def test_an_export_takes_the_place_of_files_alone(gatehouse: Gatehouse, tmp_path: Path, name: str) -> None:
    os.mkfifo("pipe")
    Path("link").symlink_to("pipe")

    answer = gatehouse("export-users", "-o", name)

    assert answer == (1, "", f"gatehouse: Is no regular file: {name}.\n")
    assert Path("pipe").is_fifo()
    assert Path("link").is_symlink()
    assert {path.name for path in tmp_path.iterdir()} == {"pipe", "link"}


@pytest.mark.promise("R9")
@pytest.mark.parametrize("name", ["pipe", "link"])
def test_an_import_that_refuses_nothing_removes_files_alone(gatehouse: Gatehouse, name: str) -> None:
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    Path("link").symlink_to("pipe")

    answer = gatehouse("import-users", write({"username": "alice"}), "--refused", name)

    os.close(reader)
    assert answer == (0, "", "gatehouse: 1 added, 0 there already, 0 refused.\n")
    assert Path("pipe").is_fifo()
    assert Path("link").is_symlink()


@pytest.mark.promise("R9")
def test_the_file_behind_standard_input_is_not_overwritten_by_refusals(tmp_path: Path) -> None:
    imported = tmp_path / "users.ndjson"
    imported.write_text("all there is")

    with imported.open() as file, pytest.raises(InvalidError) as caught, RefusedRows(imported, source=file.fileno()):
        pass

    assert caught.value.field == "--refused"
    assert imported.read_text() == "all there is"


@pytest.mark.promise("R9")
def test_refusals_that_cannot_be_told_stop_the_import_and_what_went_in_stays(
    gatehouse: Gatehouse, own_owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_files, "BATCH_ROWS", 2)
    write({"username": "alice"}, {"username": "no"}, {"username": "betty"}, {"username": "carla"})

    answer = gatehouse("import-users", "users.ndjson", "--refused", "/dev/full")

    assert answer.code == 1
    assert answer.err.splitlines()[-1] == "gatehouse: No space left on device: /dev/full."
    assert "alice" in {row["username"] for row in stored(own_owner)}


SECRET = "$argon2id$v=19$m=99999999,t=3,p=4$secretsecret$secretsecretsecretsecret"


@pytest.mark.promise("K2")
def test_of_a_broken_file_each_line_is_told_with_its_reason_and_the_rest_goes_in(
    gatehouse: Gatehouse, own_owner: psycopg.Connection
) -> None:
    broken = [
        b'\xef\xbb\xbf{"username": "alice"}\r',
        b"",
        b'{"username": "no"}',
        b'{"username": "betty", "password_hash": "' + SECRET.encode() + b'"}',
        b'{"username": "betty", "role": "root"}',
        b'{"username": "betty", "email": "x"}',
        b'{"username": "betty", "username": "carla"}',
        b'{"username": "al\xffce"}',
        b'{"username": "\\ud800alice"}',
        b'{"username": "al\\u0000ice"}',
        b'{"username": "al\0ice"}',
        b"[" * 15_000,
        b'{"username": ' + b"9" * 5_000 + b"}",
        b'{"username": "' + b"x" * 20_000 + b'"}',
        b'"alice"',
        b'{"username": "ALICE"}',
        b'{"username": "betty", "is_active": NaN}',
        b'{"username": "betty"}',
        b'{"username": "carl',
    ]

    answer = gatehouse("import-users", write(*broken))

    assert answer == (1, "", "gatehouse: 2 added, 0 there already, 16 refused: see users.ndjson.refused.\n")
    assert [row["username"] for row in stored(own_owner)] == ["alice", "betty"]
    reasons = refused()
    assert list(reasons) == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19]
    assert reasons[4].startswith("password_hash: Costs too much")
    assert reasons[8] == "line: Is not UTF-8."
    assert reasons[14] == "line: Is longer than 16384 bytes."
    assert reasons[16] == "username: Is that of line 1, too."
    assert reasons[19] == "line: Is no JSON."
    assert "secret" not in Path("users.ndjson.refused").read_text()
    assert stat.S_IMODE(Path("users.ndjson.refused").stat().st_mode) == 0o600


CSV = b"""username,role,is_active,created_at,password_hash
alice,user,t,2020-01-31 18:30:00+00,
"betty","user","false","2020-01-31T18:30:00Z","""

BROKEN_CSV = b"""carla,user,yes,,
doris,user
"erica,user,t,,
"fanny"x,user,t,,
grace,user,1,2020-01-31 18:30:00,
\x00\x00\x00,user,t,,
hanna,,,,!"""


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_csv_is_read_as_postgresql_and_spreadsheets_write_it(
    gatehouse: Gatehouse, own_owner: psycopg.Connection, mark: bytes, end: bytes
) -> None:
    content = mark + CSV + b'"$2b$04$' + BCRYPT[7:].encode() + b'"\n' + BROKEN_CSV
    Path("users.csv").write_bytes(content.replace(b"\n", end))

    answer = gatehouse("import-users", "users.csv")

    assert answer.code == 1
    rows = stored(own_owner)
    assert [row["username"] for row in rows] == ["alice", "betty", "hanna"]
    assert [row["is_active"] for row in rows] == [True, False, True]
    assert [row["password_hash"] for row in rows] == ["!", BCRYPT, "!"]
    assert rows[0]["created_at"] == rows[1]["created_at"] == datetime(2020, 1, 31, 18, 30, tzinfo=UTC)
    reasons = refused("users.csv.refused")
    assert reasons == {
        4: "is_active: Must be true or false.",
        5: "line: Has 2 columns, and not the header's 5.",
        6: "line: Has quotes that do not match.",
        7: "line: Has quotes that do not match.",
        8: "created_at: Must be a time with its time zone, as 2026-01-31T18:30:00Z.",
        9: reasons[9],
    }


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"alice,$2b$04$secret\n", "Its first line must name the columns"),
        (b"username;role\nalice;user\n", "Its first line must name the columns"),
        (b"username,username\n", "Its header names a column twice."),
        (b"role\nuser\n", "Its header lacks the column of the username"),
        ("username\nalice\n".encode("utf-16"), "Must be UTF-8, and is UTF-16."),
        (b"username\n", "Holds no rows."),
        (b"\n\n", "Holds no rows."),
        (b"", "Holds no rows."),
    ],
)
def test_a_file_that_is_none_is_told_in_a_line_that_repeats_nothing_of_it(
    gatehouse: Gatehouse, own_owner: psycopg.Connection, content: bytes, reason: str
) -> None:
    Path("users.csv").write_bytes(content)

    answer = gatehouse("import-users", "users.csv")

    assert answer.code == 1
    assert answer.err.startswith(f"gatehouse: FILE: {reason}")
    assert len(answer.err.splitlines()) == 1
    assert "secret" not in answer.err
    assert stored(own_owner) == []
    assert not Path("users.csv.refused").exists()


def test_a_dry_run_tells_the_same_and_changes_nothing(gatehouse: Gatehouse, own_owner: psycopg.Connection) -> None:
    gatehouse("create-super-admin", "taken", "--password-stdin", stdin=PASSWORD.encode())
    before, recorded = stored(own_owner), events(own_owner)
    write({"username": "alice"}, {"username": "Taken"}, {"username": "no"}, {"username": "ALICE"})

    dry = gatehouse("import-users", "users.ndjson", "--dry-run")
    told = refused()

    assert (stored(own_owner), events(own_owner)) == (before, recorded)
    label = "1 added, 0 there already, 3 refused: see users.ndjson.refused.\n"
    assert dry == (1, "", f"gatehouse: in a dry run, which changed nothing, {label}")
    assert gatehouse("import-users", "users.ndjson") == (1, "", f"gatehouse: {label}")
    assert (
        refused()
        == told
        == {
            2: "username: Belongs to another account.",
            3: told[3],
            4: "username: Is that of line 1, too.",
        }
    )


def test_standard_streams_make_a_pipe(gatehouse: Gatehouse, own_owner: psycopg.Connection) -> None:
    seed(own_owner, 3)
    before = stored(own_owner)
    exported = gatehouse("export-users", "--with-hashes", "--format", "csv")
    own_owner.execute("DELETE FROM users")

    answer = gatehouse("import-users", "-", "--format", "csv", stdin=exported.out.encode())

    assert answer.code == 0
    assert stored(own_owner) == before
    assert gatehouse("import-users", "-", stdin=b"{}").code == 1
    assert refused("import.refused") == {1: "username: Is missing."}


def test_another_column_becomes_the_username(gatehouse: Gatehouse, own_owner: psycopg.Connection) -> None:
    Path("users.csv").write_text("login,role\nAlice,user\n")
    write({"login": "betty"}, {"username": "carla"})

    assert gatehouse("import-users", "users.csv", "--username-from", "login").code == 0
    assert gatehouse("import-users", "users.ndjson", "--username-from", "login").code == 1

    assert [row["username"] for row in stored(own_owner)] == ["alice", "betty"]
    assert refused()[2].startswith("line: Has a field that is none of ")


@pytest.mark.promise("X1")
@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_what_is_left_of_erased_accounts_is_not_exported(
    gatehouse: Gatehouse, own_owner: psycopg.Connection, form: str
) -> None:
    seed(own_owner, 3)
    own_owner.execute(
        "UPDATE users SET username = '~0123456789abcdef', role = 'erased', is_active = false, password_hash = '' "
        "WHERE username = 'user.2'"
    )

    answer = gatehouse("export-users", "--with-hashes", "--output", f"all.{form}")

    assert answer.err == "gatehouse: exported 2 accounts.\n"
    exported = Path(f"all.{form}").read_text()
    assert "erased" not in exported
    assert "~" not in exported


@pytest.mark.promise("Z11")
def test_roles_above_user_need_to_be_allowed(gatehouse: Gatehouse, own_owner: psycopg.Connection) -> None:
    write({"username": "alice", "role": "admin"}, {"username": "betty", "role": "super_admin"})

    assert gatehouse("import-users", "users.ndjson").code == 1
    assert stored(own_owner) == []
    assert gatehouse("import-users", "users.ndjson", "--highest-role", "admin").code == 1
    assert list(refused()) == [2]
    assert gatehouse("import-users", "users.ndjson", "--highest-role", "super_admin").code == 0
    assert [row["role"] for row in stored(own_owner)] == ["admin", "super_admin"]
