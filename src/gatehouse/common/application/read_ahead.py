"""Making the next piece of work while the present one is done."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator


async def read_ahead[T](items: AsyncIterator[T]) -> AsyncGenerator[tuple[T, bool]]:
    """Each item, and whether it is the last. While the caller works on one, the second after it is made.

    Close it: `async with aclosing(read_ahead(...)) as ahead`.
    """
    present, upcoming = await _next(items), await _next(items)
    while present:
        making = asyncio.create_task(_next(items))
        try:
            yield present[0], not upcoming
            present, upcoming = upcoming, await making
        finally:
            making.cancel()


async def _next[T](items: AsyncIterator[T]) -> list[T]:
    """Empty at the end, and from then on."""
    try:
        return [await anext(items)]
    except StopAsyncIteration:
        return []
