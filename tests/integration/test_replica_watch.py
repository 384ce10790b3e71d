"""When a replica may be used, with databases that only have positions in the write-ahead log."""

from typing import Any

import pytest

from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.infrastructure.database_errors import DatabaseError
from gatehouse.common.infrastructure.replica import read_replica as replica_module
from gatehouse.common.infrastructure.replica.read_replica import MAX_LAG_SECONDS, ReadReplica, watch_replica
from tests.integration.conftest import until


class Position(Database):
    """Answers every question with its position, or fails."""

    def __init__(self) -> None:
        super().__init__("", 1)
        self.at = 0
        self.failure: Exception | None = None

    async def fetch_one(self, *_: object) -> Any:
        if self.failure is not None:
            raise self.failure
        return self.at


class Pair:
    """The primary moves on by one a second; the replica keeps up until it is told otherwise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.primary, self.standby = Position(), Position()
        self.replica = ReadReplica(self.standby, self.primary)
        monkeypatch.setattr(replica_module, "monotonic", lambda: float(self.primary.at))

    async def look(self, times: int = 1, *, keeps_up: bool = True) -> None:
        for _ in range(times):
            self.primary.at += 1
            if keeps_up:
                self.standby.at = self.primary.at
            await self.replica.measure_lag()


@pytest.fixture
async def pair(monkeypatch: pytest.MonkeyPatch) -> Pair:
    return Pair(monkeypatch)


async def test_a_replica_may_lag_for_some_seconds_and_no_longer(pair: Pair) -> None:
    await pair.look(times=10)

    await pair.look(times=int(MAX_LAG_SECONDS), keeps_up=False)
    assert pair.replica.is_usable

    await pair.look(keeps_up=False)
    assert not pair.replica.is_usable


@pytest.mark.parametrize("failure", [UnavailableError(), DatabaseError()])
async def test_one_that_comes_back_is_not_used_before_it_has_caught_up(pair: Pair, failure: Exception) -> None:
    await pair.look(times=10)
    pair.standby.failure = failure
    await pair.look(times=120, keeps_up=False)
    pair.standby.failure = None

    for _ in range(20):
        await pair.look(keeps_up=False)
        assert not pair.replica.is_usable

    await pair.look()
    assert pair.replica.is_usable


async def test_the_watch_outlives_whatever_the_primary_answers(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    async def is_usable() -> bool:
        return pair.replica.is_usable

    async def is_given_up() -> bool:
        return not pair.replica.is_usable

    monkeypatch.setattr(replica_module, "_MEASURE_EVERY_SECONDS", 0)
    async with watch_replica(pair.standby, pair.primary) as pair.replica:
        await until(is_usable)
        pair.primary.failure = DatabaseError()
        await until(is_given_up)
        pair.primary.failure = None
        await until(is_usable)
