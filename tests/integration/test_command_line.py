"""`gatehouse` from its arguments to its exit code, in this process."""

import asyncio
import getpass
import io
import re
import socket
import sys
import tomllib
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from gatehouse.common.domain.errors import OutcomeUnknownError
from gatehouse.setup.modules import MODULES
from gatehouse.testing.database import SERVER_ROLE, CreateDatabase
from gatehouse.testing.fakes import PASSWORD
from tests.integration.command_line import SECRETS, Gatehouse, RunResult
from tests.integration.proxied_postgres import Loss, run_proxy
from tests.unit.configs import PRODUCTION

pytestmark = pytest.mark.slow  # each on a database of its own, with the whole command line

CREATE = ("create-super-admin", "--password-stdin")
RAISE = ("create-super-admin", "--raise-existing")
REVOKE = "revoke-super-admin"
POOL_WAIT = "gatehouse.common.infrastructure.database.POOL_WAIT_SECONDS"


def stored_roles(url: str) -> dict[str, str]:
    with psycopg.connect(url) as connection:
        return dict(connection.execute("SELECT username, role FROM users").fetchall())


def test_a_super_admin_is_created_with_the_password_from_standard_input(gatehouse: Gatehouse, own_url: str) -> None:
    answer = gatehouse(*CREATE, "Chief", stdin=f"{PASSWORD}\n")

    assert answer == (0, "Created the super admin chief.\n", "")
    assert stored_roles(own_url) == {"chief": "super_admin"}


@pytest.mark.parametrize("stdin", [b"marble \xff\xfe otters and more\n", b"\xed\xa0\x80" * 15, None])
def test_a_password_that_is_no_text_is_one_line(gatehouse: Gatehouse, own_url: str, stdin: bytes | None) -> None:
    code, out, err = gatehouse(*CREATE, "chief", stdin=stdin)

    assert (code, out) == (1, "")
    assert re.fullmatch(r"gatehouse: password: .+\.\n", err)
    assert stored_roles(own_url) == {}


@pytest.mark.promise("Z11")
@pytest.mark.parametrize("command", [CREATE, CREATE[:1]])
def test_an_existing_account_is_refused_and_no_password_asked_for(
    gatehouse: Gatehouse, own_url: str, command: tuple[str, ...]
) -> None:
    gatehouse(*CREATE, "chief", stdin=PASSWORD)
    gatehouse(*CREATE, "other", stdin=PASSWORD)
    gatehouse(REVOKE, "other")

    answer = gatehouse(*command, "Other", stdin=PASSWORD)

    assert answer == (
        1,
        "",
        "gatehouse: other exists already: --raise-existing makes that account a super admin.\n",
    )
    assert stored_roles(own_url)["other"] == "user"


@pytest.mark.promise("Z11")
def test_a_password_for_an_account_that_keeps_its_own_is_wrong_usage(gatehouse: Gatehouse, own_url: str) -> None:
    gatehouse(*CREATE, "chief", stdin=PASSWORD)
    gatehouse(*CREATE, "other", stdin=PASSWORD)
    gatehouse(REVOKE, "other")

    code, out, err = gatehouse(*CREATE, "other", "--raise-existing", stdin=PASSWORD)

    assert (code, out) == (2, "")
    assert "leave one of --raise-existing and --password-stdin away" in " ".join(err.replace("\u2502", "").split())
    assert stored_roles(own_url)["other"] == "user"


@pytest.mark.promise("Z11")
def test_who_does_not_exist_is_not_raised(gatehouse: Gatehouse, own_url: str) -> None:
    answer = gatehouse(*RAISE, "nobody")

    assert answer == (1, "", "gatehouse: There is no such user.\n")
    assert stored_roles(own_url) == {}


@pytest.mark.promise("Z11")
def test_an_existing_user_is_raised_to_super_admin(gatehouse: Gatehouse, own_url: str) -> None:
    gatehouse(*CREATE, "chief", stdin=PASSWORD)
    gatehouse(*CREATE, "other", stdin=PASSWORD)
    gatehouse(REVOKE, "other")
    assert stored_roles(own_url)["other"] == "user"

    answer = gatehouse(*RAISE, "other")

    assert answer == (0, "Raised other to super admin; the password is unchanged, the sessions have ended.\n", "")
    assert stored_roles(own_url)["other"] == "super_admin"
    assert gatehouse(*RAISE, "other") == (0, "other is an active super admin already; nothing changed.\n", "")


def test_the_password_is_asked_for_twice_without_being_shown(
    gatehouse: Gatehouse, own_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = [PASSWORD, PASSWORD]
    monkeypatch.setattr(getpass, "getpass", lambda _: typed.pop())

    answer = gatehouse("create-super-admin", "chief", at_terminal=True)

    assert (answer.code, typed, answer.err) == (0, [], "")
    assert PASSWORD not in answer.out
    assert stored_roles(own_url) == {"chief": "super_admin"}


def test_a_super_admin_is_made_a_plain_user(gatehouse: Gatehouse, own_url: str) -> None:
    gatehouse(*CREATE, "chief", stdin=PASSWORD)
    gatehouse(*CREATE, "other", stdin=PASSWORD)

    assert gatehouse(REVOKE, "other") == (0, "other is a plain user now.\n", "")
    assert gatehouse(REVOKE, "other") == (0, "other is no super admin; nothing changed.\n", "")
    assert stored_roles(own_url) == {"chief": "super_admin", "other": "user"}


def test_the_last_super_admin_stays(gatehouse: Gatehouse, own_url: str) -> None:
    gatehouse(*CREATE, "chief", stdin=PASSWORD)

    answer = gatehouse(REVOKE, "chief")

    assert answer == (1, "", "gatehouse: The last active super admin cannot be removed.\n")
    assert stored_roles(own_url) == {"chief": "super_admin"}


def test_an_unknown_user_cannot_be_revoked(gatehouse: Gatehouse) -> None:
    assert gatehouse(REVOKE, "nobody") == (1, "", "gatehouse: There is no such user.\n")


@pytest.mark.parametrize("password", ["too short", "", "x" * 129])
def test_a_weak_password_is_refused(gatehouse: Gatehouse, own_url: str, password: str) -> None:
    answer = gatehouse(*CREATE, "chief", stdin=f"{password}\n")

    assert answer == (1, "", "gatehouse: password: Must have 15 to 128 characters.\n")
    assert stored_roles(own_url) == {}


@pytest.mark.parametrize("command", [CREATE, (REVOKE,)])
def test_an_invalid_name_is_refused(gatehouse: Gatehouse, command: tuple[str, ...]) -> None:
    answer = gatehouse(*command, "no", stdin=PASSWORD)

    assert_refused_in_one_line(answer)
    assert answer.err.startswith("gatehouse: username: Must be 5 to 20 ")


def test_the_configuration_is_shown_without_its_secrets(gatehouse: Gatehouse, own_url: str) -> None:
    code, out, err = gatehouse("config", "check")

    assert (code, err) == (0, "")
    assert "app.environment = test\n" in out
    assert "password.work_factor = 4\n" in out
    for key in ("postgres.url", "jwt.secret", "password.pepper"):
        assert f"{key} = ********\n" in out
    for secret in (own_url, *SECRETS.values()):
        assert secret not in out


def test_another_configuration_file_is_named_on_the_command_line_whatever_the_environment_names(
    gatehouse: Gatehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEHOUSE_CONFIG", "/nowhere/config.toml")
    (tmp_path / "other.toml").write_text("[uvicorn]\nport = 8765\n")

    answer = gatehouse("--config", str(tmp_path / "other.toml"), "config", "check")

    assert answer.code == 0
    assert "uvicorn.port = 8765\n" in answer.out


def test_a_configuration_file_is_written_whatever_is_wrong_with_the_present_configuration(
    gatehouse: Gatehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GATEHOUSE_UVICORN__PROT", "no such setting")

    answer = gatehouse("config", "init")

    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines() == [
        f"Wrote {tmp_path}/config.toml, in which every line shows a default: take its # away to change it.",
        "Then: `gatehouse migrate`, and `gatehouse serve`.",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]
    monkeypatch.delenv("GATEHOUSE_UVICORN__PROT")
    assert gatehouse("config", "check").code == 0


@pytest.mark.parametrize("by", ["option", "variable"])
def test_the_configuration_file_that_is_named_is_written(
    gatehouse: Gatehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    file = tmp_path / "of a service.toml"
    monkeypatch.setenv("GATEHOUSE_CONFIG", str(file) if by == "variable" else "/nowhere/config.toml")
    options = ["--config", str(file)] if by == "option" else []

    answer = gatehouse(*options, "config", "init")

    assert (answer.code, answer.err) == (0, "")
    assert f"`gatehouse --config '{file}' serve`" in answer.out
    assert tomllib.loads(file.read_text()).keys() == MODULES.settings.keys()


@pytest.mark.parametrize("there_is", ["a file", "a folder", "a link to nowhere"])
def test_no_configuration_is_overwritten(gatehouse: Gatehouse, tmp_path: Path, there_is: str) -> None:
    file = tmp_path / "config.toml"
    match there_is:
        case "a file":
            file.write_text("broken")
        case "a folder":
            file.mkdir()
        case _:
            file.symlink_to("/nowhere/config.toml")
    before = file.lstat()

    answer = gatehouse("--config", str(file), "config", "init")

    assert_refused_in_one_line(answer)
    assert answer.err.startswith(f"gatehouse: {file} exists already, and is left as it is; ")
    assert file.lstat() == before
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


def test_a_configuration_that_cannot_be_written_is_one_line(gatehouse: Gatehouse, tmp_path: Path) -> None:
    answer = gatehouse("--config", str(tmp_path / "none/config.toml"), "config", "init")

    assert_refused_in_one_line(answer)
    assert "none/config.toml: cannot be written (No such file or directory)." in answer.err


def test_a_name_that_the_locale_cannot_write_is_shown_with_escapes(
    gatehouse: Gatehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, "latin-1"))

    answer = gatehouse("--config", str(tmp_path / "設定.toml"), "config", "init")

    assert answer.code == 0
    assert rb"\u8a2d\u5b9a.toml" in output.getvalue()


def test_an_embedded_database_that_cannot_be_had_is_one_line(
    gatehouse: Gatehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "postgres").touch()
    monkeypatch.setenv("GATEHOUSE_POSTGRES__URL", "")
    monkeypatch.setenv("GATEHOUSE_POSTGRES__DATA_DIR", str(tmp_path / "postgres"))

    assert_refused_in_one_line(gatehouse("migrate"))


@pytest.mark.parametrize("name", ["GATEHOUSE_UVICORN__PROT", "GATEHOUSE_JTW__SECRET"])
def test_an_unknown_setting_is_refused_by_its_name(
    gatehouse: Gatehouse, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "a value that might be secret")

    for command in (("config", "check"), ("migrate",), ("serve",), (REVOKE, "chief")):
        assert gatehouse(*command) == (1, "", f"gatehouse: {name}: there is no such setting.\n")


@pytest.mark.parametrize(
    "arguments", [("no-such-command",), ("create-super-admin",), (REVOKE, "one", "two"), ("serve", "--now")]
)
def test_wrong_usage_exits_with_2(gatehouse: Gatehouse, arguments: tuple[str, ...]) -> None:
    code, out, err = gatehouse(*arguments)

    assert (code, out) == (2, "")
    assert "Usage: gatehouse" in err


def test_migrating_is_said_and_may_be_repeated(
    gatehouse: Gatehouse, create_database: CreateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = create_database("command_line_empty", template="template0")
    monkeypatch.setenv("GATEHOUSE_POSTGRES__URL", empty)

    for _ in range(2):
        assert gatehouse("migrate") == (0, "The database schema is the newest.\n", "")
    assert stored_roles(empty) == {}


@pytest.mark.promise("R3")
def test_a_newer_schema_is_one_line_and_no_failure(
    gatehouse: Gatehouse, create_database: CreateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An instance of this version may start beside newer ones, and its init container must not fail for ever."""
    url = create_database("command_line_revision")
    set_revision(url, "9999")
    monkeypatch.setenv("GATEHOUSE_POSTGRES__URL", url)

    newer = "The database schema is newer (revision 9999) than this version of Gatehouse; nothing was changed."
    assert gatehouse("migrate") == (0, "", f"gatehouse: {newer}\n")
    assert gatehouse(*CREATE, "chief", stdin=PASSWORD) == (0, "Created the super admin chief.\n", "")


@pytest.mark.promise("R9")
@pytest.mark.parametrize("command", [("migrate",), (*CREATE, "chief")])
def test_an_unknown_revision_is_one_line(
    gatehouse: Gatehouse, create_database: CreateDatabase, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    url = create_database("command_line_revision")
    set_revision(url, "0000")
    monkeypatch.setenv("GATEHOUSE_POSTGRES__URL", url)

    assert_refused_in_one_line(gatehouse(*command, stdin=PASSWORD))


@pytest.mark.promise("R9")
def test_an_owner_who_may_not_change_the_schema_is_one_line(
    gatehouse: Gatehouse, create_database: CreateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = create_database("command_line_empty", template="template0")
    monkeypatch.setenv("GATEHOUSE_POSTGRES__URL", make_conninfo(empty, user=SERVER_ROLE))

    answer = gatehouse("migrate")

    assert answer == (1, "", "gatehouse: PostgreSQL refuses: permission denied for schema public.\n")


NOT_REACHED = {
    "postgresql://nobody:hunter2@127.0.0.1:1/nothing": 'connection to server at "127.0.0.1", port 1 failed: ',
    # Not escaped, what is behind the first @ of a password is read as a host.
    "postgresql://nobody:a@hunter2.invalid:1/nothing": "the name of its host cannot be resolved.",
    f"postgresql://nobody:a@{'hunter2' * 10}:1/nothing": "the name of its host cannot be resolved.",
}


@pytest.mark.slow
@pytest.mark.promise("R9")
@pytest.mark.parametrize("url", NOT_REACHED)
@pytest.mark.parametrize("command", [("migrate",), (*CREATE, "chief"), (REVOKE, "chief")])
def test_an_unreachable_database_is_one_line_that_says_why(
    gatehouse: Gatehouse, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], url: str
) -> None:
    monkeypatch.setattr(POOL_WAIT, 0.2)
    monkeypatch.setenv("GATEHOUSE_POSTGRES__URL", url)

    answer = gatehouse(*command, stdin=PASSWORD)

    assert_refused_in_one_line(answer)
    assert answer.err.startswith(f"gatehouse: No connection to the database: {NOT_REACHED[url]}")
    assert "hunter2" not in answer.err


@pytest.mark.slow
@pytest.mark.promise("R9")
@pytest.mark.parametrize("command", [("migrate",), (*CREATE, "chief")])
def test_a_database_that_refuses_the_connection_is_one_line_that_says_why(
    gatehouse: Gatehouse, own_url: str, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("GATEHOUSE_POSTGRES__URL", make_conninfo(own_url, dbname="missing"))

    answer = gatehouse(*command, stdin=PASSWORD)

    assert_refused_in_one_line(answer)
    assert answer.err.endswith('database "missing" does not exist.\n')


@pytest.mark.promise("R9")
def test_migrating_a_server_that_is_read_only_is_one_line_that_says_so(
    gatehouse: Gatehouse, create_database: CreateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = create_database("command_line_empty", template="template0")
    read_only = make_conninfo(empty, options="-c default_transaction_read_only=on")
    monkeypatch.setenv("GATEHOUSE_POSTGRES__URL", read_only)

    refusal = "PostgreSQL refuses: cannot execute CREATE TABLE in a read-only transaction."
    assert gatehouse("migrate") == (1, "", f"gatehouse: {refusal}\n")


@pytest.mark.promise("R9")
def test_two_revisions_are_one_line(
    gatehouse: Gatehouse, create_database: CreateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = create_database("command_line_revision")
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO alembic_version VALUES ('0000')")
    monkeypatch.setenv("GATEHOUSE_POSTGRES__URL", url)

    answer = gatehouse("migrate")

    assert_refused_in_one_line(answer)
    assert "'0000, " in answer.err


@pytest.mark.parametrize("command", [(*CREATE, "chief"), (REVOKE, "chief")])
def test_a_database_that_is_not_migrated_is_one_line_that_says_what_to_do(
    gatehouse: Gatehouse, create_database: CreateDatabase, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    empty = create_database("command_line_empty", template="template0")
    monkeypatch.setenv("GATEHOUSE_POSTGRES__URL", empty)

    answer = gatehouse(*command, stdin=PASSWORD)

    assert answer == (1, "", "gatehouse: The database schema is not the newest: run `gatehouse migrate`.\n")


@pytest.mark.parametrize("mistyped_url", ["postgresql//owner:hunter2@host/name", "mysql://owner:hunter2@host/name"])
@pytest.mark.parametrize("command", [("migrate",), (REVOKE, "chief")])
def test_a_mistyped_url_is_one_line_that_does_not_repeat_it(
    gatehouse: Gatehouse, monkeypatch: pytest.MonkeyPatch, mistyped_url: str, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(POOL_WAIT, 0.2)
    monkeypatch.setenv("GATEHOUSE_POSTGRES__URL", mistyped_url)

    answer = gatehouse(*command)

    assert_refused_in_one_line(answer)
    assert "hunter2" not in answer.err


@pytest.mark.promise("R9")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_taken_port_is_one_line(gatehouse: Gatehouse, monkeypatch: pytest.MonkeyPatch, workers: str) -> None:
    monkeypatch.setenv("GATEHOUSE_UVICORN__WORKERS", workers)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("GATEHOUSE_UVICORN__PORT", str(port))

        answer = gatehouse("serve")

    reason = f"uvicorn.port: {port} is taken; stop what listens there, or choose another one."
    assert answer == (1, "", f"gatehouse: {reason}\n")


@pytest.mark.promise("R9")
@pytest.mark.parametrize("name", ["GATEHOUSE_CONFIG", "GATEHOUSE_JWT__SECRET_FILE"])
def test_a_file_that_cannot_be_read_is_one_line(
    gatehouse: Gatehouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.delenv("GATEHOUSE_JWT__SECRET")
    for path in (tmp_path, tmp_path / "missing", "/proc/self/mem"):
        monkeypatch.setenv(name, str(path))
        for command in (("serve",), ("migrate",), ("config", "check")):
            assert_refused_in_one_line(gatehouse(*command))


@pytest.mark.promise("K5")
@pytest.mark.parametrize("owner_url", ["", "postgresql://one@127.0.0.1:1/name"])
def test_migrating_in_production_with_one_role_for_both_purposes_is_told(
    gatehouse: Gatehouse, monkeypatch: pytest.MonkeyPatch, owner_url: str
) -> None:
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GATEHOUSE_PASSWORD__WORK_FACTOR", "10")
    monkeypatch.setenv("GATEHOUSE_POSTGRES__URL", "postgresql://one@127.0.0.1:1/name")
    monkeypatch.setenv("GATEHOUSE_POSTGRES__OWNER_URL", owner_url)

    warning, refusal = gatehouse("migrate").err.splitlines()

    assert warning.startswith("gatehouse: warning: the server's database role owns the schema and can change it; ")
    assert refusal.startswith("gatehouse: ")


@pytest.mark.promise("R8")
async def test_a_change_that_the_database_did_not_confirm_is_one_line_that_says_so(
    gatehouse: Gatehouse, own_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with run_proxy(own_url) as proxy:
        monkeypatch.setenv("GATEHOUSE_POSTGRES__URL", proxy.url)
        proxy.answer_to_commit = Loss.CONNECTION_CLOSED
        # In a thread, since it has an event loop of its own.
        answer = await asyncio.to_thread(gatehouse, *CREATE, "chief", stdin=PASSWORD)

        assert answer == (1, "", f"gatehouse: {OutcomeUnknownError.title}\n")
        assert stored_roles(own_url) == {"chief": "super_admin"}
        proxy.speak()
        assert_refused_in_one_line(await asyncio.to_thread(gatehouse, *CREATE, "chief", stdin=PASSWORD))


def set_revision(url: str, revision: str) -> None:
    with psycopg.connect(url) as owner:
        owner.execute("UPDATE alembic_version SET version_num = %s", [revision])


def assert_refused_in_one_line(answer: RunResult) -> None:
    assert (answer.code, answer.out) == (1, "")
    assert [line.partition(" ")[0] for line in answer.err.splitlines()] == ["gatehouse:"]
