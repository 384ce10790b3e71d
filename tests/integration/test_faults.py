"""Whatever a command is doing when the database fails it: all of it happens, or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from typing import Final

import psycopg
import pytest
from sqlalchemy import Engine

from gatehouse.accounts.application.commands.inactivate_user import InactivateUser
from gatehouse.accounts.application.commands.log_in import LogIn
from gatehouse.common.domain.errors import GatehouseError, OutcomeUnknownError, UnavailableError
from gatehouse.common.infrastructure import database_connection
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.settings import PostgresSettings, Settings
from gatehouse.testing.database import Rows
from gatehouse.testing.declaration import FaultCase
from gatehouse.testing.faults import FaultScenario, check_faults, fault_at, prepare
from gatehouse.testing.under_test import all_module_tests
from tests.integration.harness import Harness, open_gated_harness
from tests.integration.proxied_postgres import Loss, run_proxy

pytestmark = [pytest.mark.promise("T1"), pytest.mark.slow]

CASES: Final = [case for tests in all_module_tests() for case in tests.fault_cases]
INACTIVATION: Final = next(case for case in CASES if case.command is InactivateUser)


@pytest.fixture
async def engine(harness: Harness) -> Engine:
    return (await harness.container.get(Database)).engine.sync_engine


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_fault_at_any_step_leaves_nothing_and_without_one_all_is_done(
    harness: Harness, own_owner: psycopg.Connection, case: FaultCase
) -> None:
    await check_faults(harness, own_owner, case)


def lasting(scenario: FaultScenario) -> Rows:
    """What a repeat must leave as it is: all but times, the trail and, after a login, the sessions."""
    passing = {"audit_events", *(["sessions"] if scenario.case.command is LogIn else [])}
    return {
        table: [tuple(value for value in row if not isinstance(value, datetime)) for row in rows]
        for table, rows in scenario.stored().items()
        if table not in passing
    }


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
        open_gated_harness(own_settings.replace(replace(postgres, url=proxy.url))) as harness,
    ):
        scenario = await prepare(harness, own_owner, case)
        proxy.answer_to_commit = loss
        if loss is Loss.SILENCE:
            monkeypatch.setattr(database_connection, "ANSWER_WITHIN_SECONDS", 0.3)
        with pytest.raises(OutcomeUnknownError):
            await scenario.call()
        assert proxy.commits_lost == 1, "nothing is tried again"
        done = lasting(scenario)
        assert scenario.events() == 1

        monkeypatch.undo()
        proxy.speak()
        with suppress(GatehouseError):  # such as: the username is taken
            await scenario.call()
        assert lasting(scenario) == done


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


async def test_a_case_whose_command_changes_nothing_is_noticed(harness: Harness, own_owner: psycopg.Connection) -> None:
    with pytest.raises(AssertionError):
        await check_faults(harness, own_owner, replace(INACTIVATION, arguments=lambda _: ("inactive",)))
