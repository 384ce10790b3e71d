"""When a read replica is usable, with fake databases that only have a log position."""

import asyncio
from typing import Any

import pytest

from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.infrastructure.database_errors import DatabaseError
from gatehouse.common.infrastructure.replica import read_replica as replica_module
from gatehouse.common.infrastructure.replica.read_replica import (
    LAG,
    MAX_LAG_SECONDS,
    USED_BY,
    ReadReplica,
    watch_replica,
)
from gatehouse.testing.fakes import FakeMetrics
from tests.integration.conftest import until


class FakeDatabase(Database):
    """Answers every query with its log position, or fails."""

    def __init__(self) -> None:
        super().__init__("", 1)
        self.at = 0
        self.failure: Exception | None = None

    async def fetch_one(self, *_: object) -> Any:
        if self.failure is not None:
            raise self.failure
        return self.at


class Pair:
    """The primary's position advances by one a second; the replica keeps up unless a test says otherwise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.primary, self.standby = FakeDatabase(), FakeDatabase()
        self.metrics = FakeMetrics()
        self.replica = ReadReplica(self.standby, self.primary, self.metrics)
        monkeypatch.setattr(replica_module, "monotonic", lambda: float(self.primary.at))

    async def measure(self, times: int = 1, *, keeps_up: bool = True) -> None:
        for _ in range(times):
            self.primary.at += 1
            if keeps_up:
                self.standby.at = self.primary.at
            await self.replica.measure_lag()


@pytest.fixture
async def pair(monkeypatch: pytest.MonkeyPatch) -> Pair:
    return Pair(monkeypatch)


async def test_a_replica_may_lag_for_some_seconds_and_no_longer(pair: Pair) -> None:
    await pair.measure(times=10)

    await pair.measure(times=int(MAX_LAG_SECONDS), keeps_up=False)
    assert pair.replica.is_usable

    await pair.measure(keeps_up=False)
    assert not pair.replica.is_usable


async def test_its_lag_and_whether_it_is_used_are_measured(pair: Pair) -> None:
    await pair.measure(times=10)
    assert (pair.metrics.watched(LAG), pair.metrics.watched(USED_BY)) == (0, 1)

    await pair.measure(times=7, keeps_up=False)
    assert (pair.metrics.watched(LAG), pair.metrics.watched(USED_BY)) == (7, 0)


@pytest.mark.parametrize("failure", [UnavailableError(), DatabaseError()])
async def test_a_replica_that_comes_back_is_not_used_before_it_has_caught_up(pair: Pair, failure: Exception) -> None:
    await pair.measure(times=10)
    pair.standby.failure = failure
    await pair.measure(times=120, keeps_up=False)
    pair.standby.failure = None

    for _ in range(20):
        await pair.measure(keeps_up=False)
        assert not pair.replica.is_usable

    await pair.measure()
    assert pair.replica.is_usable


async def test_measurements_continue_after_an_error_of_the_primary(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    async def is_usable() -> bool:
        return pair.replica.is_usable

    async def is_unusable() -> bool:
        return not pair.replica.is_usable

    monkeypatch.setattr(replica_module, "_MEASURE_EVERY_SECONDS", 0)
    async with watch_replica(pair.standby, pair.primary) as pair.replica:
        await until(is_usable)
        pair.primary.failure = DatabaseError()
        await until(is_unusable)
        pair.primary.failure = None
        await until(is_usable)


class SilentDatabase(FakeDatabase):
    async def fetch_one(self, *_: object) -> Any:
        await asyncio.Event().wait()


async def test_nobody_waits_for_the_first_measurement() -> None:
    async with asyncio.timeout(1), watch_replica(SilentDatabase(), SilentDatabase()) as replica:
        assert not replica.is_usable
