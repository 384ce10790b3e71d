"""Erasing an account on a real database: what is left of it, what may race with it, what the server's role may do."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from gatehouse.accounts.application.commands.create_user import CreateUser
from gatehouse.accounts.application.commands.erase_user import EraseUser
from gatehouse.accounts.application.commands.grant_admin import GrantAdmin
from gatehouse.accounts.application.commands.import_users import ImportUsers
from gatehouse.accounts.application.commands.log_in import LogIn
from gatehouse.accounts.application.commands.sign_up import SignUp
from gatehouse.accounts.application.user_file import ImportRules
from gatehouse.accounts.application.user_import import FileRow, ImportRun, ImportTally
from gatehouse.accounts.domain.errors import InvalidCredentialsError, UsernameTakenError, UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.accounts.infrastructure.erased_names import NameHashes
from gatehouse.audit.application.commands.finish_erasures import FinishErasures
from gatehouse.audit.infrastructure.erasures import BATCH, LOOK_AGAIN_AFTER
from gatehouse.testing.database import SERVER_ROLE, rows_of
from gatehouse.testing.fakes import PASSWORD
from tests.integration.conftest import DatabaseMonitor
from tests.integration.harness import Harness

pytestmark = pytest.mark.slow  # most let two commands wait for one another

EVENT = """
    INSERT INTO audit_events (id, at, action, outcome, actor, target, subject_kind, subject_id, subject_label, ip)
    VALUES (gen_random_uuid(), %(at)s, %(action)s, 'succeeded', %(actor)s, %(target)s, %(kind)s, %(subject)s,
        %(subject)s, '192.0.2.7')
"""
NOTHING: dict[str, object] = dict.fromkeys(("actor", "target", "kind", "subject"))


@pytest.fixture
async def chief(harness: Harness) -> User:
    return await harness.add_user("chief", Role.SUPER_ADMIN)


@pytest.fixture
async def alice(harness: Harness) -> User:
    return await harness.add_user("alice")


@pytest.fixture
def server(own_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(make_conninfo(own_url, user=SERVER_ROLE), autocommit=True) as connection:
        yield connection


def add_event(owner: psycopg.Connection, harness: Harness, **columns: object) -> None:
    owner.execute(EVENT, {**NOTHING, "at": harness.clock.at, "action": "log_in", **columns})


def stored_text(owner: psycopg.Connection) -> str:
    return repr(rows_of(owner))


def import_of(name: str, refused: dict[int, str]) -> tuple[ImportRun, AsyncIterator[Sequence[FileRow]]]:
    async def rows() -> AsyncIterator[Sequence[FileRow]]:
        yield [FileRow(1, {"username": name})]

    return ImportRun(id=UUID(int=7), rules=ImportRules(), refuse=refused.__setitem__), rows()


async def finish(harness: Harness) -> int:
    harness.clock.advance(LOOK_AGAIN_AFTER)
    done: int = await harness.call(FinishErasures, None)
    return done


@pytest.mark.promise("X1")
async def test_in_the_end_the_name_hash_and_addresses_are_nowhere_in_the_database(
    harness: Harness, own_owner: psycopg.Connection, chief: User, alice: User
) -> None:
    await harness.call(LogIn, None, "alice", PASSWORD)
    with pytest.raises(InvalidCredentialsError):
        await harness.call(LogIn, None, "alice", "a wrong password")
    await harness.call(GrantAdmin, chief, "alice")
    add_event(own_owner, harness, actor="alice", kind="attempts", subject="alice")
    own_owner.execute("UPDATE users SET password_hash = 'her own' WHERE username = 'alice'")
    before = stored_text(own_owner)
    assert all(trace in before for trace in ("alice", "her own", "192.0.2.7"))

    await harness.call(EraseUser, chief, "alice")

    assert "192.0.2.7" not in stored_text(own_owner)
    assert own_owner.execute("SELECT username FROM erasures").fetchall() == [("alice",)], "for some minutes"
    assert await finish(harness) == 1
    after = stored_text(own_owner)
    assert not any(trace in after for trace in ("alice", "her own", "192.0.2.7"))
    assert after.count(f"'{alice.pseudonym}'") > 4
    shell = own_owner.execute("SELECT id, username, role, is_active, last_login_at FROM users WHERE role = 'erased'")
    assert shell.fetchall() == [(alice.id, alice.pseudonym, "erased", False, None)]


@pytest.mark.promise("X1")
async def test_addresses_of_the_account_and_of_attempts_at_it_go_and_those_of_others_stay(
    harness: Harness, own_owner: psycopg.Connection, chief: User, alice: User
) -> None:
    for actor, target in (("alice", "bobby"), (None, "alice"), ("bobby", "alice"), ("bobby", "bobby"), (None, "bobby")):
        add_event(own_owner, harness, actor=actor, target=target)

    await harness.call(EraseUser, chief, "alice")

    rows = own_owner.execute("SELECT actor, target, ip FROM audit_events WHERE action = 'log_in'").fetchall()
    name = alice.pseudonym
    assert set(rows) == {
        (name, "bobby", None),
        (None, name, None),
        ("bobby", name, "192.0.2.7"),
        ("bobby", "bobby", "192.0.2.7"),
        (None, "bobby", "192.0.2.7"),
    }


@pytest.mark.promise("X1")
async def test_what_is_recorded_late_is_erased_soon_and_another_s_events_never_are(
    harness: Harness, own_owner: psycopg.Connection, chief: User, alice: User
) -> None:
    await harness.call(EraseUser, chief, "alice")
    harness.clock.advance(timedelta(minutes=1))
    add_event(own_owner, harness, actor="alice")  # counted in the minute before, say
    harness.clock.advance(timedelta(minutes=2))
    add_event(own_owner, harness, target="alice", action="log_in")  # somebody tries the name

    await finish(harness)

    rows = own_owner.execute("SELECT actor, target FROM audit_events WHERE action = 'log_in' ORDER BY at").fetchall()
    assert rows == [(alice.pseudonym, None), (None, "alice")]
    assert own_owner.execute("SELECT FROM erasures").rowcount == 0


@pytest.mark.promise("X1")
async def test_the_events_of_who_takes_a_free_name_stay_theirs(
    harness: Harness, own_owner: psycopg.Connection, chief: User, alice: User
) -> None:
    await harness.call(EraseUser, chief, "alice", free_name=True)
    await harness.call(SignUp, None, "alice", PASSWORD)

    await finish(harness)

    rows = own_owner.execute("SELECT action, actor FROM audit_events ORDER BY at").fetchall()
    assert rows == [("erase_user", "chief"), ("sign_up", "alice")]
    assert alice.pseudonym in stored_text(own_owner)


@pytest.mark.promise("X1")
async def test_a_long_trail_is_erased_in_batches(
    harness: Harness, own_owner: psycopg.Connection, chief: User, alice: User
) -> None:
    own_owner.execute(
        """
        INSERT INTO audit_events (id, at, action, outcome, actor, target)
        SELECT gen_random_uuid(), %s, 'log_in', 'succeeded', 'alice', 'alice' FROM generate_series(1, %s)
        """,
        [harness.clock.at, 2 * BATCH + 1],
    )

    await harness.call(EraseUser, chief, "alice")
    assert own_owner.execute("SELECT FROM audit_events WHERE actor = 'alice'").rowcount == BATCH + 1
    assert await harness.call(FinishErasures, None) == 0, "not yet"

    await finish(harness)
    assert own_owner.execute("SELECT FROM audit_events WHERE actor = 'alice' OR target = 'alice'").rowcount == 0
    assert own_owner.execute("SELECT FROM audit_events WHERE actor = %s", [alice.pseudonym]).rowcount == 2 * BATCH + 1


@pytest.mark.promise("X1", "S8")
async def test_who_is_erased_while_the_password_is_verified_gets_no_session(
    harness: Harness, monitor: DatabaseMonitor, chief: User, alice: User
) -> None:
    harness.hashing.stop_next()
    login = harness.start(LogIn, None, "alice", PASSWORD)
    await harness.hashing.until_reached()

    await harness.call(EraseUser, chief, "alice")
    harness.hashing.open()

    with pytest.raises(InvalidCredentialsError):
        await login
    assert await monitor.sessions_of(alice.id) == 0


@pytest.mark.promise("X1", "S8")
async def test_an_erasure_waits_for_a_login_that_came_first_and_ends_its_session(
    harness: Harness, monitor: DatabaseMonitor, own_owner: psycopg.Connection, chief: User, alice: User
) -> None:
    harness.opening_a_session.stop_next()
    login = harness.start(LogIn, None, "alice", PASSWORD)
    await harness.opening_a_session.until_reached()

    erasure = harness.start(EraseUser, chief, "alice")
    await monitor.until_waiting_for_a_lock()
    harness.opening_a_session.open()

    await login
    await erasure
    assert await monitor.sessions_of(alice.id) == 0
    assert own_owner.execute("SELECT FROM audit_events WHERE actor = 'alice'").rowcount == 0


@pytest.mark.promise("X1")
async def test_a_grant_that_waits_for_an_erasure_finds_nobody(
    harness: Harness, monitor: DatabaseMonitor, chief: User, alice: User
) -> None:
    async with monitor.transaction("SELECT FROM users WHERE id = %s FOR UPDATE", alice.id):
        erasure = harness.start(EraseUser, chief, "alice")
        await monitor.until_waiting_for_a_lock()
        other = await harness.add_user("other", Role.SUPER_ADMIN)
        grant = harness.start(GrantAdmin, other, "alice")
        await monitor.until_waiting_for_a_lock(2)

    await erasure
    with pytest.raises(UserNotFoundError):
        await grant


@pytest.mark.promise("X1")
@pytest.mark.parametrize("by", ["sign-up", "an admin", "an import"])
async def test_who_takes_the_name_while_it_is_erased_and_kept_is_refused(
    harness: Harness, monitor: DatabaseMonitor, own_owner: psycopg.Connection, chief: User, by: str
) -> None:
    """The insertion waits for the erasure, and only then looks for kept names."""
    refused: dict[int, str] = {}
    await harness.add_user("alice")
    own_owner.execute("""
        CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NULL; END $$;
        CREATE TRIGGER wait AFTER UPDATE ON users FOR EACH ROW WHEN (NEW.role = 'erased') EXECUTE FUNCTION wait();
    """)
    try:
        async with monitor.transaction("SELECT pg_advisory_xact_lock(4711)"):
            erasure = harness.start(EraseUser, chief, "alice")
            await monitor.until_waiting_for_a_lock()
            if by == "sign-up":
                taking = harness.start(SignUp, None, "alice", PASSWORD)
            elif by == "an import":
                taking = harness.start(ImportUsers, None, *import_of("alice", refused))
            else:
                taking = harness.start(
                    CreateUser, await harness.add_user("other", Role.SUPER_ADMIN), "alice", PASSWORD, Role.USER
                )
            await monitor.until_waiting_for_a_lock(2)
        await erasure
        if by == "an import":
            assert await taking == ImportTally(refused=1)
            assert refused == {1: "username: Was that of an erased account, and nobody may take it."}
        else:
            with pytest.raises(UsernameTakenError):
                await taking
    finally:
        own_owner.execute("DROP FUNCTION wait CASCADE")
    assert own_owner.execute("SELECT FROM users WHERE username = 'alice'").rowcount == 0


@pytest.mark.promise("X1")
async def test_two_who_erase_the_same_account_at_once_do_it_once(
    harness: Harness, own_owner: psycopg.Connection, chief: User, alice: User
) -> None:
    other = await harness.add_user("other", Role.SUPER_ADMIN)

    outcomes = await asyncio.gather(
        *(harness.call(EraseUser, actor, "alice") for actor in (chief, other)), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes if outcome is not None] == [UserNotFoundError]
    assert own_owner.execute("SELECT FROM audit_events WHERE target = %s", [alice.pseudonym]).rowcount == 1


@pytest.mark.promise("X1")
async def test_rows_of_other_modules_still_refer_to_what_is_left(
    harness: Harness, own_owner: psycopg.Connection, chief: User, alice: User
) -> None:
    own_owner.execute("CREATE TABLE loans (user_id uuid NOT NULL REFERENCES users (id))")
    try:
        own_owner.execute("INSERT INTO loans VALUES (%s)", [alice.id])

        await harness.call(EraseUser, chief, "alice")

        names = own_owner.execute("SELECT username FROM loans JOIN users ON users.id = user_id").fetchall()
        assert names == [(alice.pseudonym,)]
    finally:
        own_owner.execute("DROP TABLE loans")


@pytest.mark.promise("X1", "K3")
async def test_the_server_s_role_erases_no_name_without_a_record_of_it(
    harness: Harness, own_owner: psycopg.Connection, server: psycopg.Connection
) -> None:
    add_event(own_owner, harness, actor="alice")
    add_event(own_owner, harness, target="bobby", action="erase_user")
    before = rows_of(own_owner)
    for pseudonym in ("~nothing", "bobby", "", None):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            server.execute("SELECT erase_from_audit_events('alice', %s, 1000)", [pseudonym])

    assert rows_of(own_owner) == before


@pytest.mark.promise("X1", "K3")
async def test_an_erasure_that_is_recorded_covers_no_later_event_and_no_other_name(
    harness: Harness, own_owner: psycopg.Connection, server: psycopg.Connection
) -> None:
    await harness.add_user("alice")
    add_event(own_owner, harness, actor="alice", action="before")
    harness.clock.advance(timedelta(seconds=1))
    add_event(own_owner, harness, target="~pseudonym", action="erase_user")
    harness.clock.advance(timedelta(seconds=1))
    add_event(own_owner, harness, actor="alice", action="after")

    server.execute("SELECT erase_from_audit_events('alice', '~pseudonym', 1000)")

    rows = own_owner.execute("SELECT action, actor FROM audit_events ORDER BY at").fetchall()
    assert rows == [("before", "~pseudonym"), ("erase_user", None), ("after", "alice")]


@pytest.mark.promise("X1", "K3")
def test_of_all_roles_the_server_s_alone_may_have_names_erased(own_owner: psycopg.Connection) -> None:
    statement = """
        SELECT grantee::regrole::text FROM pg_proc, aclexplode(proacl) WHERE proname = 'erase_from_audit_events'
            AND grantee <> proowner
    """

    assert own_owner.execute(statement).fetchall() == [(SERVER_ROLE,)]


@pytest.mark.promise("X1", "K3")
async def test_a_table_of_the_caller_s_own_is_not_taken_for_the_trail(
    harness: Harness, own_owner: psycopg.Connection, server: psycopg.Connection
) -> None:
    add_event(own_owner, harness, actor="alice")
    server.execute("CREATE TEMPORARY TABLE audit_events AS SELECT * FROM public.audit_events")
    server.execute("UPDATE pg_temp.audit_events SET target = '~mine', action = 'erase_user'")

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        server.execute("SELECT erase_from_audit_events('alice', '~mine', 1000)")


@pytest.mark.promise("X1")
def test_a_kept_name_is_stored_as_no_one_without_the_pepper_can_tell_and_found_under_earlier_peppers() -> None:
    alice = Username("alice")
    [first] = NameHashes(["a pepper"]).of(alice)
    [other] = NameHashes(["another pepper"]).of(alice)

    assert first != other
    assert NameHashes(["another pepper", "a pepper"]).of(alice) == [other, first]
    assert b"alice" not in first
