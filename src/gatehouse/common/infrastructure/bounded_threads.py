"""Threads for slow work, with a bounded queue before them in which clients have equal shares."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from gatehouse.common.domain.errors import UnavailableError

MAX_WAIT_SECONDS: Final = 1.0


@dataclass
class _Client:
    """One that has calls running or waiting."""

    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)
    running: int = 0
    served_as: int = 0
    """The number of its latest turn; 0 until it has had one."""


class BoundedThreads:
    """A call waits for a free thread for at most a second; who waits is served in turn, client by client.

    The next turn goes to the client whose latest one is longest ago, so a new client's first call goes ahead of the
    second one of all others. A client has at most `per_client` calls waiting, and all together `queue`. When the queue
    is full, a client with fewer waiting calls than another takes the place of that one's last call.
    """

    def __init__(self, threads: int, queue: int = 64, per_client: int = 16) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="slow")
        self._free = threads
        self._queue = queue
        self._per_client = per_client
        self._clients: dict[str, _Client] = {}
        self._turns = 0

    async def run[T](self, work: Callable[[], T], client: str) -> T:
        """Raises UnavailableError when the wait would be too long."""
        if self._free:
            self._take_permit(client)
        else:
            await self._wait_for_turn(client)
        loop = asyncio.get_running_loop()
        future = self._threads.submit(work)
        # The permit is released when the thread is free, not when a cancelled request stops waiting for it.
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._release_permit, client))
        return await asyncio.wrap_future(future)

    @property
    def waiting(self) -> int:
        return sum(len(client.waiting) for client in self._clients.values())

    def close(self) -> None:
        """Waits for the work that has begun."""
        self._threads.shutdown()

    async def _wait_for_turn(self, client: str) -> None:
        self._make_room(client)
        turn = asyncio.get_running_loop().create_future()
        waiting = self._clients.setdefault(client, _Client()).waiting
        waiting.append(turn)
        try:
            async with asyncio.timeout(MAX_WAIT_SECONDS):
                await turn
        except BaseException as error:
            if turn.cancelled():
                with suppress(ValueError):  # passed over already
                    waiting.remove(turn)
                self._forget_if_idle(client)
            elif turn.exception() is None:
                self._release_permit(client)  # the turn came at the moment of giving up
            if isinstance(error, TimeoutError):
                raise UnavailableError from None
            raise

    def _make_room(self, client: str) -> None:
        """Raises UnavailableError when the client may not wait."""
        own = len(self._clients[client].waiting) if client in self._clients else 0
        if own >= self._per_client:
            raise UnavailableError
        if self.waiting < self._queue:
            return
        longest = max(self._clients.values(), key=lambda other: len(other.waiting))
        if len(longest.waiting) <= own + 1:
            raise UnavailableError
        last = longest.waiting.pop()
        if not last.done():
            last.set_exception(UnavailableError())

    def _take_permit(self, client: str) -> None:
        self._free -= 1
        self._turns += 1
        one = self._clients.setdefault(client, _Client())
        one.running += 1
        one.served_as = self._turns

    def _release_permit(self, client: str) -> None:
        self._free += 1
        self._clients[client].running -= 1
        self._serve_next()
        self._forget_if_idle(client)

    def _serve_next(self) -> None:
        while waiting := [name for name, one in self._clients.items() if one.waiting]:
            name = min(waiting, key=lambda name: self._clients[name].served_as)
            turn = self._clients[name].waiting.popleft()
            if not turn.done():  # else it was cancelled, and its task has not run since
                self._take_permit(name)
                turn.set_result(None)
                return

    def _forget_if_idle(self, client: str) -> None:
        one = self._clients.get(client)
        if one is not None and not one.running and not one.waiting:
            del self._clients[client]
