import asyncio

import pytest

from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure.waiting import wait_for_answer


class SilentServer:
    def __init__(self) -> None:
        self.was_cancelled = False

    async def ask(self) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise


async def test_a_call_that_takes_too_long_is_given_up() -> None:
    server = SilentServer()

    with pytest.raises(UnavailableError):
        await wait_for_answer(0.01, server.ask())
    await asyncio.sleep(0)

    assert server.was_cancelled


async def test_whoever_stops_waiting_takes_the_call_along() -> None:
    server = SilentServer()
    waiting = asyncio.create_task(wait_for_answer(60, server.ask()))
    for _ in range(2):  # until it waits
        await asyncio.sleep(0)

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.sleep(0)

    assert server.was_cancelled
