"""Calls that come at the same time, on connections of their own."""

from collections.abc import AsyncIterator
from typing import Final

import psycopg
import pytest
from gatehouse.accounts import Role
from gatehouse.common.settings import PostgresSettings, Settings
from gatehouse.testing.database import rows_of
from gatehouse.testing.harness import Harness
from gatehouse.testing.races import race
from gatehouse.testing.run_app import open_harness
from gatehouse.testing.running_app import on_database

from lending.loans.application.commands.give_back_item import GiveBackItem
from lending.loans.application.commands.lend_item import LendItem
from lending.loans.domain.errors import ItemLentError, ItemNotLentError, LoanLimitError
from tests.fakes import TERMS
from tests.loans import add_items, add_loan

CALLS: Final = 6


@pytest.fixture
async def harness(settings: Settings, database: object) -> AsyncIterator[Harness]:
    """With a connection for each call, on the database that `database` has emptied."""
    assert database is not None
    async with open_harness(on_database(settings, settings[PostgresSettings].url, pool_size=CALLS)) as harness:
        yield harness


async def test_the_limit_holds_however_many_lend_at_once(
    harness: Harness, owner: psycopg.Connection, owner_url: str
) -> None:
    admins = [await harness.add_user(f"admin{number}", Role.ADMIN) for number in range(CALLS)]
    await harness.add_user("alice")
    names = [f"drill {number}" for number in range(CALLS)]
    await add_items(harness.container, *names)

    calls = [harness.call(LendItem, admin, "alice", name) for admin, name in zip(admins, names, strict=True)]
    outcomes = await race(owner_url, "loans", *calls)

    refused = [outcome for outcome in outcomes if isinstance(outcome, LoanLimitError)]
    assert len(refused) == CALLS - TERMS.max_per_borrower
    assert len(rows_of(owner)["loans"]) == len(rows_of(owner)["audit_events"]) == TERMS.max_per_borrower


async def test_of_those_who_lend_one_item_one_does(harness: Harness, owner: psycopg.Connection, owner_url: str) -> None:
    admin = await harness.add_user("admin", Role.ADMIN)
    borrowers = [await harness.add_user(f"alice{number}") for number in range(CALLS)]
    await add_items(harness.container, "drill")

    calls = [harness.call(LendItem, admin, borrower.username.value, "drill") for borrower in borrowers]
    outcomes = await race(owner_url, "loans", *calls)

    assert len([outcome for outcome in outcomes if isinstance(outcome, ItemLentError)]) == CALLS - 1
    assert len(rows_of(owner)["audit_events"]) == 1


async def test_of_those_who_take_an_item_back_one_does(
    harness: Harness, owner: psycopg.Connection, owner_url: str
) -> None:
    admins = [await harness.add_user(f"admin{number}", Role.ADMIN) for number in range(CALLS)]
    await add_loan(harness.container, "drill", await harness.add_user("alice"))

    outcomes = await race(owner_url, "loans", *(harness.call(GiveBackItem, admin, "drill") for admin in admins))

    assert len([outcome for outcome in outcomes if isinstance(outcome, ItemNotLentError)]) == CALLS - 1
    assert len(rows_of(owner)["audit_events"]) == 1
