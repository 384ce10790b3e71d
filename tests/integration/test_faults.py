"""Whatever a command is doing when the database fails it: all of it happens, or nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg
import pytest
from sqlalchemy import Connection, Engine, event

from gatehouse.accounts.application.commands.inactivate_user import InactivateUser
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import TransactionConflictError, UnavailableError
from gatehouse.common.infrastructure.database import Database
from tests.database import Rows, rows_of
from tests.integration.harness import Harness
from tests.modules import all_module_tests
from tests.modules.declaration import FaultCase, Fixtures

pytestmark = pytest.mark.promise("T1")

PEOPLE: Final = {
    "alice": Role.USER,
    "inactive": Role.USER,
    "outdated": Role.USER,
    "admin": Role.ADMIN,
    "chief": Role.SUPER_ADMIN,
    "other": Role.SUPER_ADMIN,
}
CASES: Final = [case for tests in all_module_tests() for case in tests.fault_cases]
OUTSIDE_THE_TRANSACTION: Final = "attempts"
"""Counted before the password is hashed, so that parallel guesses cannot outrun the count."""


@dataclass(frozen=True)
class FaultScenario:
    """People of every kind with sessions, and one call that one of them makes."""

    harness: Harness
    url: str
    case: FaultCase
    fixtures: Fixtures

    async def call(self) -> None:
        caller = None if self.case.caller is None else self.fixtures.users[self.case.caller]
        await self.harness.call(self.case.command, caller, *self.case.arguments(self.fixtures))

    def stored(self) -> Rows:
        with psycopg.connect(self.url) as owner:
            return {table: rows for table, rows in rows_of(owner).items() if table != OUTSIDE_THE_TRANSACTION}

    def events(self) -> int:
        return len(self.stored()["audit_events"])


async def prepare(harness: Harness, url: str, case: FaultCase) -> FaultScenario:
    users, sessions = {}, {}
    for name, role in PEOPLE.items():
        users[name] = await harness.add_user(name, role)
        sessions[name] = [await harness.add_session(users[name]) for _ in range(3)]
    with psycopg.connect(url) as owner:
        owner.execute("UPDATE users SET is_active = false WHERE username = 'inactive'")
        owner.execute("UPDATE users SET password_hash = 'old ' || password_hash WHERE username = 'outdated'")
    fixtures = Fixtures(users, sessions)
    await case.seed(harness, fixtures)
    return FaultScenario(harness, url, case, fixtures)


INACTIVATION: Final = next(case for case in CASES if case.command is InactivateUser)


@pytest.fixture(params=CASES, ids=str)
async def scenario(request: pytest.FixtureRequest, harness: Harness, own_url: str) -> FaultScenario:
    return await prepare(harness, own_url, request.param)


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
    after = scenario.stored()
    assert any(after[table] != before[table] for table in before if table != "audit_events")
    assert scenario.events() == 1


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
    assert scenario.events() == 1


CONFLICTS = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)


@pytest.mark.parametrize("fault", CONFLICTS)
@pytest.mark.parametrize("step", range(1, 5))
async def test_a_conflict_at_any_statement_is_tried_again_whoever_calls(
    harness: Harness, own_url: str, engine: Engine, fault: type[psycopg.OperationalError], step: int
) -> None:
    scenario = await prepare(harness, own_url, INACTIVATION)

    with fault_at(engine, step, fault("lost")):
        await scenario.call()

    assert scenario.events() == 1


@pytest.mark.parametrize("fault", CONFLICTS)
async def test_a_conflict_at_the_commit_is_not_tried_again(
    harness: Harness, own_url: str, engine: Engine, fault: type[psycopg.OperationalError]
) -> None:
    scenario = await prepare(harness, own_url, INACTIVATION)
    before = scenario.stored()

    with fault_at(engine, 5, fault("lost")), pytest.raises(UnavailableError) as caught:
        await scenario.call()

    assert not isinstance(caught.value, TransactionConflictError)
    assert scenario.stored() == before
