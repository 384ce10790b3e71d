"""Whatever a command is doing when the database fails it: all of it happens, or nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg
import pytest
from sqlalchemy import Connection, Engine, event

from gatehouse.accounts.application.commands.change_password import ChangePassword
from gatehouse.accounts.application.commands.create_super_admin import CreateSuperAdmin
from gatehouse.accounts.application.commands.create_user import CreateUser
from gatehouse.accounts.application.commands.end_other_sessions import EndOtherSessions
from gatehouse.accounts.application.commands.end_session import EndSession
from gatehouse.accounts.application.commands.end_user_sessions import EndUserSessions
from gatehouse.accounts.application.commands.grant_admin import GrantAdmin
from gatehouse.accounts.application.commands.inactivate_user import InactivateUser
from gatehouse.accounts.application.commands.log_in import LogIn
from gatehouse.accounts.application.commands.log_out import LogOut
from gatehouse.accounts.application.commands.reactivate_user import ReactivateUser
from gatehouse.accounts.application.commands.revoke_admin import RevokeAdmin
from gatehouse.accounts.application.commands.revoke_super_admin import RevokeSuperAdmin
from gatehouse.accounts.application.commands.sign_up import SignUp
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.common.domain.errors import TransactionConflictError, UnavailableError
from gatehouse.common.infrastructure.database import Database
from tests.fakes import PASSWORD
from tests.integration.harness import Harness, UseCase

pytestmark = pytest.mark.promise("T1")

PEOPLE: Final = {
    "alice": Role.USER,
    "inactive": Role.USER,
    "outdated": Role.USER,
    "admin": Role.ADMIN,
    "chief": Role.SUPER_ADMIN,
    "other": Role.SUPER_ADMIN,
}
NEW_PASSWORD = "another horse battery staple"
CASES: Final[dict[str, tuple[type[UseCase], str | None, tuple[object, ...]]]] = {
    "sign_up": (SignUp, None, ("erica", PASSWORD)),
    "log_in": (LogIn, None, ("alice", PASSWORD)),
    "log_in_with_outdated_hash": (LogIn, None, ("outdated", PASSWORD)),
    "log_out": (LogOut, "alice", ()),
    "create_user": (CreateUser, "admin", ("erica", PASSWORD, Role.USER)),
    "inactivate_user": (InactivateUser, "admin", ("alice",)),
    "reactivate_user": (ReactivateUser, "admin", ("inactive",)),
    "grant_admin": (GrantAdmin, "chief", ("alice",)),
    "revoke_admin": (RevokeAdmin, "chief", ("admin",)),
    "change_one_s_own_password": (ChangePassword, "alice", ("alice", NEW_PASSWORD, PASSWORD)),
    "change_another_s_password": (ChangePassword, "admin", ("alice", NEW_PASSWORD, None)),
    "end_session": (EndSession, "alice", ("its id",)),
    "end_other_sessions": (EndOtherSessions, "alice", ()),
    "end_user_sessions": (EndUserSessions, "admin", ("alice",)),
    "create_super_admin": (CreateSuperAdmin, None, ("erica", lambda: PASSWORD)),
    "raise_to_super_admin": (CreateSuperAdmin, None, ("inactive", lambda: PASSWORD)),
    "revoke_super_admin": (RevokeSuperAdmin, None, ("other",)),
}


@dataclass
class FaultScenario:
    """People of every kind with sessions, and one call that one of them makes."""

    harness: Harness
    url: str
    use_case: type[UseCase]
    caller: User | None
    arguments: tuple[object, ...]

    async def call(self) -> None:
        await self.harness.call(self.use_case, self.caller, *self.arguments)

    def stored(self) -> list[list[tuple[object, ...]]]:
        with psycopg.connect(self.url) as owner:
            return [
                owner.execute(statement).fetchall()
                for statement in (
                    "SELECT username, role, is_active, password_hash, must_change_password FROM users ORDER BY 1",
                    "SELECT username, count(*) FROM sessions JOIN users ON users.id = user_id GROUP BY 1 ORDER BY 1",
                    "SELECT action, actor, target, outcome FROM audit_events ORDER BY id",
                )
            ]


async def prepared(harness: Harness, url: str, case: str) -> FaultScenario:
    use_case, caller, arguments = CASES[case]
    scenario = FaultScenario(harness, url, use_case, None, arguments)
    for name, role in PEOPLE.items():
        user = await harness.add_user(name, role)
        sessions = [await harness.add_session(user) for _ in range(3)]
        if name == caller:
            scenario.caller = user
            scenario.arguments = tuple(sessions[0].id if part == "its id" else part for part in arguments)
    with psycopg.connect(url) as owner:
        owner.execute("UPDATE users SET is_active = false WHERE username = 'inactive'")
        owner.execute("UPDATE users SET password_hash = 'old ' || password_hash WHERE username = 'outdated'")
    return scenario


@pytest.fixture(params=CASES)
async def scenario(request: pytest.FixtureRequest, harness: Harness, own_url: str) -> FaultScenario:
    return await prepared(harness, own_url, request.param)


@pytest.fixture
async def engine(harness: Harness) -> Engine:
    return (await harness.container.get(Database)).engine.sync_engine


@contextmanager
def listening(engine: Engine, **listeners: Callable[..., None]) -> Iterator[None]:
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    try:
        yield
    finally:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)


@contextmanager
def fault_at(engine: Engine, step: int, fault: Exception) -> Iterator[None]:
    """Statements and commits alike are steps; the fault comes before the step is sent."""
    steps = iter(range(1, 1000))

    def count(*_: object) -> None:
        if next(steps) == step:
            raise fault

    with listening(engine, before_cursor_execute=count, commit=count):
        yield


async def test_a_fault_at_any_step_leaves_nothing_and_without_one_all_is_done(
    scenario: FaultScenario, engine: Engine
) -> None:
    before, failures = scenario.stored(), 0
    while True:
        try:
            with fault_at(engine, failures + 1, psycopg.OperationalError("lost")):
                await scenario.call()
        except UnavailableError:
            assert scenario.stored() == before
            failures += 1
        else:
            break

    assert failures >= 3
    users, sessions, events = scenario.stored()
    assert [users, sessions] != before[:2]
    assert len(events) == 1


async def test_when_the_answer_to_the_commit_is_lost_all_is_done_and_nothing_is_tried_again(
    scenario: FaultScenario, engine: Engine
) -> None:
    written = []

    def note(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            written.append(statement)

    def lose_the_answer(connection: Connection) -> None:
        if written:
            connection.connection.commit()
            raise psycopg.errors.SerializationFailure("as bad as it gets")

    hook = listening(engine, before_cursor_execute=note, commit=lose_the_answer)
    with hook, pytest.raises(UnavailableError) as caught:
        await scenario.call()

    assert not isinstance(caught.value, TransactionConflictError)
    assert len(scenario.stored()[2]) == 1


CONFLICTS = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)


@pytest.mark.parametrize("fault", CONFLICTS)
@pytest.mark.parametrize("step", range(1, 5))
async def test_a_conflict_at_any_statement_is_tried_again_whoever_calls(
    harness: Harness, own_url: str, engine: Engine, fault: type[psycopg.OperationalError], step: int
) -> None:
    scenario = await prepared(harness, own_url, "inactivate_user")

    with fault_at(engine, step, fault("lost")):
        await scenario.call()

    assert len(scenario.stored()[2]) == 1


@pytest.mark.parametrize("fault", CONFLICTS)
async def test_a_conflict_at_the_commit_is_not_tried_again(
    harness: Harness, own_url: str, engine: Engine, fault: type[psycopg.OperationalError]
) -> None:
    scenario = await prepared(harness, own_url, "inactivate_user")
    before = scenario.stored()

    with fault_at(engine, 5, fault("lost")), pytest.raises(UnavailableError) as caught:
        await scenario.call()

    assert not isinstance(caught.value, TransactionConflictError)
    assert scenario.stored() == before
