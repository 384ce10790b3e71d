"""uvicorn's server, with an end that an operator can rely on (ADR 23)."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from socket import socket
from types import FrameType
from typing import Final

import structlog
from uvicorn import Config, Server

_HANGUP: Final = frozenset() if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else frozenset({signal.SIGHUP})
"""That of the terminal, unless it is ignored (nohup)."""
STOP_SIGNALS: Final = frozenset({signal.SIGINT, signal.SIGTERM}) | _HANGUP
_CLOSING_SECONDS: Final = 1
"""For requests that are cut off to end, and for the application to close its connections to the database."""
MAX_CLOSING_SECONDS: Final = 3 * _CLOSING_SECONDS
"""Both of them, one after the other, and some time for all else."""
_TICK_SECONDS: Final = 0.05
_HURRY_SECONDS: Final = 5
_HANGING_SECONDS: Final = MAX_CLOSING_SECONDS + 1
"""After a parent, if there is one, has lost its patience, and said so."""

_log = structlog.get_logger()


class StoppableServer(Server):
    """The first signal lets it drain: it says that it is not ready, and serves all the same, for `drain_seconds`. Then
    it takes no more connections, and gives the requests in work `grace_seconds`. The second signal ends both at once.

    If none of this happens, because the event loop hangs, an alarm ends the process.
    """

    def __init__(
        self,
        config: Config,
        *,
        drain_seconds: float,
        grace_seconds: float,
        signals: Collection[signal.Signals],
        beside: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    ) -> None:
        """`beside` is entered before the application starts, and left after it has ended."""
        super().__init__(config)
        self._beside = beside
        self._stop_signals = signals
        self._drain_seconds = drain_seconds
        self._grace_seconds = grace_seconds
        self._received = 0
        self._drained_at = float("inf")

    def run(self, sockets: list[socket] | None = None) -> None:
        """Unlike asyncio.run(), it does not wait for what was cut off and does not end in time: the process leaves."""
        new_event_loop = self.config.get_loop_factory() or asyncio.new_event_loop
        new_event_loop().run_until_complete(self.serve(sockets))
        signal.setitimer(signal.ITIMER_REAL, 0)

    async def serve(self, sockets: list[socket] | None = None) -> None:
        async with self._beside():
            await super().serve(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Unlike uvicorn's, it does not raise them again at the end, and from the end on they are ignored: the embedded
        database is still to be stopped.
        """
        for number in self._stop_signals:
            signal.signal(number, self.handle_exit)
        signal.signal(signal.SIGALRM, lambda *_: os._exit(1))  # not the default: process 1 would ignore it
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self._stop_signals)
        try:
            yield
        finally:
            for number in self._stop_signals:
                signal.signal(number, signal.SIG_IGN)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        del sig, frame
        self._received += 1
        if self._received == 1:
            self._drained_at = time.monotonic() + self._drain_seconds
            signal.setitimer(signal.ITIMER_REAL, self._drain_seconds + self._grace_seconds + _HANGING_SECONDS)
        elif self._received == 2:  # noqa: PLR2004
            in_time, _ = signal.getitimer(signal.ITIMER_REAL)
            signal.setitimer(signal.ITIMER_REAL, min(in_time, _HURRY_SECONDS))

    @property
    def _is_hurried(self) -> bool:
        return self._received > 1

    async def on_tick(self, counter: int) -> bool:
        if self._received and not self.lifespan.state.get("is_draining"):
            _log.info("draining", seconds=self._drain_seconds)
            self.lifespan.state["is_draining"] = True  # each request gets a copy
            # Clients open another connection, if they may, elsewhere.
            self.config.encoded_headers = [*self.config.encoded_headers, (b"connection", b"close")]
            counter = 0  # lets uvicorn put them into its answers
        is_over = await super().on_tick(counter)
        return is_over or self._is_hurried or time.monotonic() >= self._drained_at

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        _log.info("stopping", connections=len(self.server_state.connections))
        await self._wait_for_requests(time.monotonic() + self._grace_seconds)
        await self._cut_off_the_others()
        try:
            async with asyncio.timeout(_CLOSING_SECONDS):
                await self.lifespan.shutdown()
        except TimeoutError:
            _log.warning("not_closed_in_time")

    async def _wait_for_requests(self, deadline: float) -> None:
        state = self.server_state
        while (state.connections or state.tasks) and not self._is_hurried and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_TICK_SECONDS)  # uvicorn has no event for it

    async def _cut_off_the_others(self) -> None:
        """What was answered is committed; of what was not, nothing is acknowledged."""
        connections, tasks = list(self.server_state.connections), list(self.server_state.tasks)
        if not connections and not tasks:
            return
        _log.warning("cut_off", connections=len(connections), requests=len(tasks))
        for connection in connections:
            connection.transport.abort()
        logger = logging.getLogger("uvicorn.error")
        logger.disabled = True  # it would show each as an error of the application, with a traceback
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSING_SECONDS)
        logger.disabled = False
