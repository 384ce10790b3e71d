"""The erasures that a server finishes in the background."""

import asyncio
from datetime import datetime

import pytest
from dishka import Provider, Scope, make_async_container
from structlog.testing import capture_logs

from gatehouse.audit.application.commands.finish_erasures import FinishErasures
from gatehouse.audit.application.ports import UnfinishedErasures
from gatehouse.audit.presentation.background import run_erasures
from gatehouse.common.application.ports import Clock
from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.clock import SystemClock


@pytest.mark.promise("X1")
async def test_it_looks_every_minute_and_goes_on_after_any_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = [UnavailableError(), LookupError()]
    waits: list[float] = []
    finished = asyncio.Event()
    sleep = asyncio.sleep

    class Erasures:
        async def finish_batch(self, _now: datetime) -> int:
            if faults:
                raise faults.pop(0)
            finished.set()
            return 0

    async def sleep_shortly(seconds: float) -> None:
        waits.append(seconds)
        await sleep(0)

    provider = Provider(scope=Scope.APP)
    provider.provide(Erasures, provides=UnfinishedErasures)
    provider.provide(SystemClock, provides=Clock)
    provider.provide(FinishErasures, scope=Scope.REQUEST)
    monkeypatch.setattr(asyncio, "sleep", sleep_shortly)

    with capture_logs() as logs:
        async with run_erasures(make_async_container(provider)), asyncio.timeout(5):
            await finished.wait()

    assert waits[:3] == [60, 60, 60]
    assert [line["event"] for line in logs] == ["erasure_not_finished"]
