"""The rules that every module keeps. What breaks one, or is not said of the module, fails with a line that names it."""

import psycopg
import pytest
from gatehouse.testing.completeness import check_completeness
from gatehouse.testing.database import CreateDatabase
from gatehouse.testing.declaration import Call, Caller, FaultCase
from gatehouse.testing.faults import check_faults
from gatehouse.testing.harness import Harness
from gatehouse.testing.matrix import check_matrix
from gatehouse.testing.migrations import check_migrations
from gatehouse.testing.private_imports import check_private_imports
from gatehouse.testing.running_app import RunningApp

from tests.loans import TESTS


def test_nothing_is_missing(pytestconfig: pytest.Config) -> None:
    check_completeness(TESTS, pytestconfig.rootpath)


def test_of_gatehouse_only_public_names_are_used() -> None:
    check_private_imports("lending")


def test_the_migrations_make_the_tables(create_database: CreateDatabase) -> None:
    check_migrations(TESTS, create_database)


@pytest.mark.parametrize("caller", Caller)
@pytest.mark.parametrize("call", TESTS.calls, ids=str)
async def test_who_may_call_what_on_whom(
    app: RunningApp, owner: psycopg.Connection, call: Call, caller: Caller
) -> None:
    await check_matrix(app, owner, call, caller)


@pytest.mark.parametrize("case", TESTS.fault_cases, ids=str)
async def test_a_fault_leaves_nothing_behind(harness: Harness, owner: psycopg.Connection, case: FaultCase) -> None:
    await check_faults(harness, owner, case)
