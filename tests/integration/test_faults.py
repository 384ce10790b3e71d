"""Whatever a command is doing when the database fails it: all of it happens, or nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import psycopg
import pytest
from sqlalchemy import Engine, event

from gatehouse.accounts.application.commands.inactivate_user import InactivateUser
from gatehouse.accounts.application.commands.log_in import LogIn
from gatehouse.accounts.domain.role import Role
from gatehouse.common.domain.errors import GatehouseError, OutcomeUnknownError, UnavailableError
from gatehouse.common.infrastructure import database_connection
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.settings import PostgresSettings, Settings
from tests.database import Rows, rows_of
from tests.integration.harness import Harness, open_harness
from tests.integration.proxied_postgres import Loss, run_proxy
from tests.modules import all_module_tests
from tests.modules.declaration import FaultCase, Fixtures

pytestmark = [pytest.mark.promise("T1"), pytest.mark.slow]

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
    owner: psycopg.Connection
    case: FaultCase
    fixtures: Fixtures

    async def call(self) -> None:
        caller = None if self.case.caller is None else self.fixtures.users[self.case.caller]
        await self.harness.call(self.case.command, caller, *self.case.arguments(self.fixtures))

    def stored(self) -> Rows:
        return {table: rows for table, rows in rows_of(self.owner).items() if table != OUTSIDE_THE_TRANSACTION}

    def lasting(self) -> Rows:
        """What a repeat must leave as it is: all but times, the trail and, after a login, the sessions."""
        passing = {"audit_events", *(["sessions"] if self.case.command is LogIn else [])}
        return {
            table: [tuple(value for value in row if not isinstance(value, datetime)) for row in rows]
            for table, rows in self.stored().items()
            if table not in passing
        }

    def events(self) -> int:
        return len(self.stored()["audit_events"])


async def prepare(harness: Harness, owner: psycopg.Connection, case: FaultCase) -> FaultScenario:
    users, sessions = {}, {}
    for name, role in PEOPLE.items():
        users[name] = await harness.add_user(name, role)
        sessions[name] = await harness.add_sessions(users[name], 3)
    owner.execute("UPDATE users SET is_active = false WHERE username = 'inactive'")
    owner.execute("UPDATE users SET password_hash = 'old ' || password_hash WHERE username = 'outdated'")
    fixtures = Fixtures(users, sessions)
    await case.seed(harness, fixtures)
    return FaultScenario(harness, owner, case, fixtures)


INACTIVATION: Final = next(case for case in CASES if case.command is InactivateUser)


@pytest.fixture(params=CASES, ids=str)
async def scenario(request: pytest.FixtureRequest, harness: Harness, own_owner: psycopg.Connection) -> FaultScenario:
    return await prepare(harness, own_owner, request.param)


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


@pytest.mark.promise("R8")
@pytest.mark.parametrize("loss", Loss, ids=lambda loss: loss.name.lower())
@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.usefixtures("own_url")
async def test_when_the_answer_to_the_commit_is_lost_it_says_so_and_a_repeat_is_safe(
    own_settings: Settings, own_owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, case: FaultCase, loss: Loss
) -> None:
    postgres = own_settings[PostgresSettings]
    async with (
        run_proxy(postgres.url) as proxy,
        open_harness(own_settings.replace(replace(postgres, url=proxy.url))) as harness,
    ):
        scenario = await prepare(harness, own_owner, case)
        proxy.answer_to_commit = loss
        if loss is Loss.SILENCE:
            monkeypatch.setattr(database_connection, "ANSWER_WITHIN_SECONDS", 0.3)
        with pytest.raises(OutcomeUnknownError):
            await scenario.call()
        assert proxy.commits_lost == 1, "nothing is tried again"
        done = scenario.lasting()
        assert scenario.events() == 1

        monkeypatch.undo()
        proxy.speak()
        with suppress(GatehouseError):  # such as: the username is taken
            await scenario.call()
        assert scenario.lasting() == done


@pytest.mark.promise("R8")
async def test_a_commit_that_postgresql_refuses_has_certainly_changed_nothing(
    harness: Harness, own_owner: psycopg.Connection
) -> None:
    scenario = await prepare(harness, own_owner, INACTIVATION)
    before = scenario.stored()

    with refusing_commits(own_owner), pytest.raises(UnavailableError) as caught:
        await scenario.call()

    assert caught.type is UnavailableError
    assert scenario.stored() == before


@contextmanager
def refusing_commits(owner: psycopg.Connection) -> Iterator[None]:
    """As a serialisation failure does that PostgreSQL only finds at the end."""
    owner.execute("""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'serialization_failure'; END $$;
        CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON users DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION refuse();
    """)
    try:
        yield
    finally:
        owner.execute("DROP FUNCTION refuse CASCADE")


CONFLICTS = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)


@pytest.mark.parametrize("fault", CONFLICTS)
@pytest.mark.parametrize("step", range(1, 5))
async def test_a_conflict_at_any_statement_is_tried_again_whoever_calls(
    harness: Harness, own_owner: psycopg.Connection, engine: Engine, fault: type[psycopg.OperationalError], step: int
) -> None:
    scenario = await prepare(harness, own_owner, INACTIVATION)

    with fault_at(engine, step, fault("lost")):
        await scenario.call()

    assert scenario.events() == 1
