"""`race` of gatehouse.testing brings calls together, whoever is quicker."""

from collections.abc import AsyncIterator
from typing import Final

import psycopg
import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.settings import PostgresSettings, Settings
from gatehouse.testing import races
from gatehouse.testing.database import rows_of
from gatehouse.testing.harness import Harness
from gatehouse.testing.races import race
from gatehouse.testing.run_app import open_harness
from gatehouse.testing.running_app import on_database
from tests.sample.application.commands.award_badge import AwardBadge
from tests.sample.domain.errors import BadgeTakenError

CALLS: Final = 4


@pytest.fixture
async def harness(settings: Settings, database: Database) -> AsyncIterator[Harness]:
    """With a connection for each call."""
    assert isinstance(database, Database)
    async with open_harness(on_database(settings, settings[PostgresSettings].url, pool_size=CALLS)) as harness:
        yield harness


async def test_each_call_gives_back_what_it_returned_or_raised(
    harness: Harness, owner: psycopg.Connection, owner_url: str
) -> None:
    admin = await harness.add_user("admin", Role.ADMIN)
    users = [await harness.add_user(f"alice{number}") for number in range(CALLS)]

    outcomes = await race(
        owner_url, "badges", *(harness.call(AwardBadge, admin, user.username.value, "gold") for user in users)
    )

    assert sorted(type(outcome).__name__ for outcome in outcomes) == [*["BadgeTakenError"] * (CALLS - 1), "UUID"]
    assert len(rows_of(owner)["badges"]) == 1


async def test_a_call_that_ends_before_it_writes_is_not_waited_for(harness: Harness, owner_url: str) -> None:
    admin, other = await harness.add_user("admin", Role.ADMIN), await harness.add_user("other", Role.ADMIN)
    await harness.add_user("alice")

    refused, done = await race(
        owner_url,
        "badges",
        harness.call(AwardBadge, admin, "nobody", "gold"),
        harness.call(AwardBadge, other, "alice", "gold"),
    )

    assert type(refused).__name__ == "UserNotFoundError"
    assert not isinstance(done, BadgeTakenError)


@pytest.mark.slow
async def test_a_pool_that_is_too_small_is_said(
    settings: Settings, harness: Harness, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(races, "PATIENCE_SECONDS", 0.5)
    admin = await harness.add_user("admin", Role.ADMIN)
    await harness.add_user("alice")
    async with open_harness(settings) as narrow:
        calls = [narrow.call(AwardBadge, admin, "alice", name) for name in ("gold", "silver")]
        with pytest.raises(TimeoutError, match="pool"):
            await race(owner_url, "badges", *calls)
