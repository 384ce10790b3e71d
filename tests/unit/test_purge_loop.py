"""The purge that a server runs in the background."""

import asyncio
from datetime import datetime

import pytest
from dishka import Provider, Scope, make_async_container
from structlog.testing import capture_logs

from gatehouse.accounts.application.commands.purge_sessions import PurgeSessions
from gatehouse.accounts.application.ports import ExpiredRows
from gatehouse.accounts.presentation.background import PURGED, run_purge
from gatehouse.common.application.metrics import Metrics
from gatehouse.common.application.ports import Clock
from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.clock import SystemClock
from gatehouse.testing.fakes import FakeMetrics


@pytest.mark.promise("S16")
async def test_it_purges_every_five_minutes_and_goes_on_after_any_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = [UnavailableError(), LookupError()]
    waits: list[float] = []
    batches = [1000, 3]
    purged, metrics = asyncio.Event(), FakeMetrics()
    sleep = asyncio.sleep

    class Rows:
        async def purge_batch(self, _now: datetime) -> int:
            if faults:
                raise faults.pop(0)
            if batches:
                return batches.pop(0)
            purged.set()
            return 0

    async def sleep_shortly(seconds: float) -> None:
        waits.append(seconds)
        await sleep(0)

    provider = Provider(scope=Scope.APP)
    provider.provide(Rows, provides=ExpiredRows)
    provider.provide(SystemClock, provides=Clock)
    provider.provide(lambda: metrics, provides=Metrics)
    provider.provide(PurgeSessions, scope=Scope.REQUEST)
    monkeypatch.setattr(asyncio, "sleep", sleep_shortly)

    with capture_logs() as logs:
        async with run_purge(make_async_container(provider)), asyncio.timeout(5):
            await purged.wait()
            while not metrics.counted(PURGED):
                await sleep(0)

    assert waits[:3] == [300, 300, 300]
    # A database that is away is logged where that arose.
    assert [line["event"] for line in logs] == ["purge_failed", "purged"]
    assert metrics.counted(PURGED) == 1003
