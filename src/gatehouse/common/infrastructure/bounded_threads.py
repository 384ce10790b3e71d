"""Threads for slow work, with a bounded queue before them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from gatehouse.common.domain.errors import UnavailableError

MAX_WAIT_SECONDS: Final = 1.0


class BoundedThreads:
    """A call waits for a free thread for at most a second; beyond `queue` waiting calls, it is refused at once."""

    def __init__(self, threads: int, queue: int = 64) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="slow")
        self._permits = asyncio.Semaphore(threads)
        self._queue = queue
        self._waiting = 0

    async def run[T](self, work: Callable[[], T]) -> T:
        """Raises UnavailableError when the wait would be too long."""
        await self._acquire()
        loop = asyncio.get_running_loop()
        future = self._threads.submit(work)
        # The permit is released when the thread is free, not when a cancelled request stops waiting for it.
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._permits.release))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Waits for the work that has begun."""
        self._threads.shutdown()

    async def _acquire(self) -> None:
        if self._waiting >= self._queue:
            raise UnavailableError
        self._waiting += 1
        try:
            async with asyncio.timeout(MAX_WAIT_SECONDS):
                await self._permits.acquire()
        except TimeoutError:
            raise UnavailableError from None
        finally:
            self._waiting -= 1
