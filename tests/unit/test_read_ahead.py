import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from gatehouse.common.application.read_ahead import read_ahead


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


@pytest.mark.parametrize("count", [0, 1, 2, 5])
async def test_each_item_comes_once_in_order_and_the_last_is_known(count: int) -> None:
    async with aclosing(read_ahead(numbers(count))) as ahead:
        items = [item async for item in ahead]

    assert items == [(number, number == count - 1) for number in range(count)]


async def test_the_second_after_it_is_made_while_one_is_worked_on() -> None:
    third_is_made = asyncio.Event()

    async def three() -> AsyncIterator[int]:
        yield 1
        yield 2
        third_is_made.set()
        yield 3

    async with aclosing(read_ahead(three())) as ahead:
        async for _ in ahead:
            await asyncio.wait_for(third_is_made.wait(), 20)


async def test_a_failure_reaches_the_one_who_works() -> None:
    async def broken() -> AsyncIterator[int]:
        yield 1
        yield 2
        raise OSError("gone")

    seen = []

    async def work() -> None:
        async with aclosing(read_ahead(broken())) as ahead:
            async for item, _ in ahead:
                seen.append(item)

    with pytest.raises(OSError, match="gone"):
        await work()

    assert seen == [1]


async def test_closing_it_ends_what_was_being_made() -> None:
    ended = asyncio.Event()

    async def endless() -> AsyncIterator[int]:
        yield 1
        yield 2
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with aclosing(read_ahead(endless())) as ahead:
        async for _ in ahead:
            await asyncio.sleep(0)
            break

    await asyncio.wait_for(ended.wait(), 20)
