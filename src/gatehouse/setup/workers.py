"""Several server processes under one parent, which replaces those that die, and ends them with itself (ADR 23)."""

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from socket import socket
from typing import Final, NoReturn

import structlog
from uvicorn.config import STARTUP_FAILURE

from gatehouse.common.settings import ConfigError
from gatehouse.setup.stoppable_server import STOP_SIGNALS, StoppableServer

_AWAITED: Final = STOP_SIGNALS | {signal.SIGCHLD, signal.SIGALRM}
_NOT_STARTED: Final = STARTUP_FAILURE
"""The exit code of a process that ended by itself before it served."""
_PAUSE_SECONDS: Final = 1
"""Before a process is replaced: one that dies again and again must not keep the machine busy."""
_HURRY_SECONDS: Final = 5
"""For their end, from the second signal on."""
_ALARM_SLACK_SECONDS: Final = 0.05
"""The timer has another clock than time.monotonic(), and must not come before it says so."""

_log = structlog.get_logger()


@dataclass(kw_only=True)
class Workers:
    """Forked from a parent that has imported everything, so that a start takes no time, and settings with their secrets
    stay in memory. The parent waits for signals in one place: they are blocked anywhere else. It has one thread, and
    another one that only watches the embedded database, if that is used.
    """

    number: int
    make_server: Callable[[int], StoppableServer]
    """What each serves, until SIGTERM comes. It gets its place: one that replaces another gets that of the other."""
    sockets: list[socket]
    stop_seconds: float
    """How long they may take for their end."""
    on_end: Callable[[int], None] = lambda _: None
    """Gets the place of one that has ended."""
    other_sockets: list[socket] = field(default_factory=list)
    """What else they listen on."""
    _first: set[int] = field(default_factory=set, init=False)
    _pids: dict[int, int] = field(default_factory=dict, init=False)
    """Each with its place."""

    def run(self) -> None:
        """Until one of the signals to stop comes. Raises SystemExit when the first processes do not start."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # ignored by default, and then perhaps not awaited
        gc.freeze()  # a collection in a worker would otherwise write to, and so copy, the memory that they share
        self._alive = os.pipe()
        try:
            self._start_missing()
            self._first = set(self._pids)
            self._watch()
        finally:
            self._stop()
            for number in _AWAITED - {signal.SIGCHLD}:
                signal.signal(number, signal.SIG_IGN)  # the embedded database is still to be stopped
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _AWAITED)

    def _watch(self) -> None:
        while (number := signal.sigwait(_AWAITED)) not in STOP_SIGNALS:
            if number == signal.SIGALRM:
                self._start_missing()
            for pid, code in self._reap():
                _log.warning("worker_ended", pid=pid, code=code)
                if pid in self._first and code == _NOT_STARTED:
                    raise SystemExit(1)
                _alarm_in(_PAUSE_SECONDS)

    def _stop(self) -> None:
        for listener in (*self.sockets, *self.other_sockets):
            listener.close()  # else who connects now would wait for an answer until the last of them has ended
        self._send(signal.SIGTERM)
        deadline = _alarm_in(self.stop_seconds)
        while self._pids:
            number = signal.sigwait(_AWAITED)
            if number == signal.SIGALRM and time.monotonic() >= deadline:  # not that of a pause
                self._send(signal.SIGKILL)
                _log.error("workers_killed", pids=sorted(self._pids))
            elif number in STOP_SIGNALS:
                self._send(signal.SIGTERM)
                deadline = _alarm_in(max(0, min(deadline - time.monotonic(), _HURRY_SECONDS)))  # never later
            self._reap()
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _start_missing(self) -> None:
        for place in sorted(set(range(self.number)).difference(self._pids.values())):
            try:
                pid = os.fork()
            except OSError as error:  # a limit of processes or of memory
                _log.error("worker_not_started", reason=error.strerror)  # which says it all
                _alarm_in(_PAUSE_SECONDS)
                return
            if not pid:
                self._work(place)
            self._pids[pid] = place

    def _work(self, place: int) -> NoReturn:
        """In the child, which leaves by no other way: what is open in the parent's code is the parent's to close."""
        code = _NOT_STARTED
        try:
            self._be_a_child()
            server = self.make_server(place)
            code = 1
            server.run(self.sockets)
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except ConfigError as error:
            sys.stderr.write(f"gatehouse: {error}\n")
        except BaseException:  # noqa: BLE001  # whatever it is, it must not run on in the parent's code
            _log.exception("worker_failed")
        finally:
            os._exit(code)

    def _be_a_child(self) -> None:
        for number in STOP_SIGNALS - {signal.SIGTERM}:  # a terminal sends them to all; the parent decides
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # SIGTERM waits until the server has its handler.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _AWAITED - {signal.SIGTERM})
        read, write = self._alive
        os.close(write)
        threading.Thread(target=_leave_with_parent, args=(read,), daemon=True).start()

    def _reap(self) -> list[tuple[int, int]]:
        """All that have ended, each with its exit code, negative for a signal. One SIGCHLD may stand for several."""
        ends = [(pid, status) for pid, status in (os.waitpid(pid, os.WNOHANG) for pid in self._pids) if pid]
        for pid, _ in ends:
            self.on_end(self._pids.pop(pid))
        return [(pid, os.waitstatus_to_exitcode(status)) for pid, status in ends]

    def _send(self, number: signal.Signals) -> None:
        for pid in self._pids:
            os.kill(pid, number)  # not reaped yet, so the id is still its own


def _alarm_in(seconds: float) -> float:
    """When it is due."""
    due = time.monotonic() + seconds
    signal.setitimer(signal.ITIMER_REAL, seconds + _ALARM_SLACK_SECONDS)
    return due


def _leave_with_parent(alive: int) -> None:
    """The parent alone holds the other end of the pipe, and nobody ever writes to it."""
    os.read(alive, 1)
    os._exit(1)  # at once: the next parent wants the port
