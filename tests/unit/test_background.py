import asyncio

import pytest

from gatehouse.common.application.background import run_in_background


async def test_it_runs_until_the_block_ends_and_is_then_cancelled() -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with run_in_background(work()):
        await started.wait()
        assert not cancelled.is_set()

    assert cancelled.is_set()


async def test_an_error_of_the_block_ends_it_too_and_stays_the_error() -> None:
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def fail() -> None:
        async with run_in_background(work()):
            await asyncio.sleep(0)  # lets the work begin
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert cancelled.is_set()
