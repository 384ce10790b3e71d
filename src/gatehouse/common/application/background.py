"""Work that runs beside the requests."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from contextvars import Context


@asynccontextmanager
async def run_in_background(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Runs it until the block ends, and then cancels it."""
    # In a new context: otherwise all its log lines would have the id of the request that happened to start it.
    task = asyncio.create_task(work, context=Context())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
