import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure import bounded_threads
from gatehouse.common.infrastructure.bounded_threads import BoundedThreads

CLIENT = "192.0.2.1"
PATIENCE = 60
"""Seconds after which broken threads fail a test instead of hanging it."""


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Work waits at this gate; it opens at the test's end at the latest."""
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture
def single_thread(gate: threading.Event) -> Iterator[BoundedThreads]:
    threads = BoundedThreads(1, queue=2)
    yield threads
    gate.set()
    threads.close()


@pytest.fixture
def long_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_threads, "MAX_WAIT_SECONDS", PATIENCE)


@pytest.fixture
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_threads, "MAX_WAIT_SECONDS", 0)


async def test_work_leaves_the_event_loop_alone(single_thread: BoundedThreads) -> None:
    assert await single_thread.run(threading.get_ident, CLIENT) != threading.get_ident()


async def test_as_much_work_is_done_at_once_as_there_are_threads() -> None:
    threads, together = BoundedThreads(2), threading.Barrier(2)

    places = await asyncio.gather(*(threads.run(lambda: together.wait(PATIENCE), CLIENT) for _ in range(2)))

    threads.close()
    assert sorted(places) == [0, 1]


@pytest.mark.usefixtures("long_wait")
async def test_no_more_is_done_at_once_than_there_are_threads(
    single_thread: BoundedThreads, gate: threading.Event
) -> None:
    began: list[str] = []

    def work(name: str) -> list[str]:
        began.append(name)
        gate.wait(PATIENCE)
        return list(began)

    first = asyncio.create_task(single_thread.run(lambda: work("first"), CLIENT))
    second = asyncio.create_task(single_thread.run(lambda: work("second"), CLIENT))
    await asyncio.sleep(0)
    gate.set()

    assert await first == ["first"]
    assert await second == ["first", "second"]


async def test_an_error_in_the_work_comes_back_and_gives_the_permit_back(single_thread: BoundedThreads) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await single_thread.run(lambda: 1 // 0, CLIENT)


@pytest.mark.promise("D1")
async def test_a_permit_comes_back_when_the_thread_ends_not_when_the_caller_is_cancelled(
    single_thread: BoundedThreads, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: Future[None] = Future()

    def work() -> None:
        started.set_result(None)
        gate.wait(PATIENCE)

    caller = asyncio.create_task(single_thread.run(work, CLIENT))
    await asyncio.wrap_future(started)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller

    monkeypatch.setattr(bounded_threads, "MAX_WAIT_SECONDS", 0)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(UnavailableError):
            await single_thread.run(lambda: None, CLIENT)

    monkeypatch.setattr(bounded_threads, "MAX_WAIT_SECONDS", PATIENCE)
    gate.set()
    assert await single_thread.run(lambda: "done", CLIENT) == "done"


@pytest.mark.usefixtures("long_wait")
async def test_one_who_is_cancelled_while_waiting_takes_neither_permit_nor_place(
    single_thread: BoundedThreads, gate: threading.Event
) -> None:
    running_task = asyncio.create_task(single_thread.run(lambda: gate.wait(PATIENCE), CLIENT))
    waiting_tasks = [asyncio.create_task(single_thread.run(lambda: pytest.fail("ran"), CLIENT)) for _ in range(2)]
    with pytest.raises(UnavailableError):
        await asyncio.create_task(single_thread.run(lambda: pytest.fail("ran"), CLIENT))
    for task in waiting_tasks:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    later = [asyncio.create_task(single_thread.run(lambda: "done", CLIENT)) for _ in range(2)]
    await asyncio.sleep(0)

    gate.set()
    assert await running_task
    assert await asyncio.gather(*later) == ["done", "done"]


@pytest.mark.promise("D1")
@pytest.mark.usefixtures("long_wait")
async def test_when_too_many_wait_the_next_is_sent_away_at_once(
    single_thread: BoundedThreads, gate: threading.Event
) -> None:
    # Tasks start in the order they are made: one runs, two wait.
    accepted_tasks = [asyncio.create_task(single_thread.run(lambda: gate.wait(PATIENCE), CLIENT)) for _ in range(3)]
    refused_task = asyncio.create_task(single_thread.run(lambda: True, CLIENT))

    with pytest.raises(UnavailableError):
        await refused_task

    gate.set()
    assert await asyncio.gather(*accepted_tasks) == [True, True, True]


@pytest.mark.promise("D1")
@pytest.mark.usefixtures("short_wait")
async def test_nobody_waits_long(single_thread: BoundedThreads, gate: threading.Event) -> None:
    running_task = asyncio.create_task(single_thread.run(lambda: gate.wait(PATIENCE), CLIENT))
    refused_task = asyncio.create_task(single_thread.run(lambda: True, CLIENT))

    with pytest.raises(UnavailableError):
        await refused_task

    gate.set()
    assert await running_task


def test_a_wait_is_bounded_by_a_second() -> None:
    assert bounded_threads.MAX_WAIT_SECONDS <= 1


class Queue:
    """One thread that is kept busy by its first call; what follows waits until `finish`."""

    def __init__(self, threads: BoundedThreads, gate: threading.Event) -> None:
        self._threads, self._gate = threads, gate
        self.served: list[str] = []
        self.refused: list[str] = []

    async def add(self, *names: str) -> list[asyncio.Task[None]]:
        """Calls in this order; the letter is the client: a1 and a2 are two calls of one."""
        tasks = [asyncio.create_task(self._call(name)) for name in names]
        await asyncio.sleep(0)
        return tasks

    async def finish(self, tasks: list[asyncio.Task[None]]) -> None:
        self._gate.set()
        await asyncio.gather(*tasks)

    async def _call(self, name: str) -> None:
        def work() -> None:
            self._gate.wait(PATIENCE)
            self.served.append(name)

        try:
            await self._threads.run(work, name[0])
        except UnavailableError:
            self.refused.append(name)


@pytest.mark.promise("L10")
@pytest.mark.usefixtures("long_wait")
async def test_a_new_clients_first_call_goes_ahead_of_all_second_ones_and_then_all_have_their_turns(
    gate: threading.Event,
) -> None:
    threads = BoundedThreads(1)
    queue = Queue(threads, gate)

    await queue.finish(await queue.add("a1", "a2", "a3", "a4", "b1", "b2", "c1", "c2", "c3"))

    threads.close()
    assert queue.served == ["a1", "b1", "c1", "a2", "b2", "c2", "a3", "c3", "a4"]


@pytest.mark.promise("L10")
@pytest.mark.usefixtures("long_wait")
async def test_one_clients_calls_leave_room_for_those_of_others(gate: threading.Event) -> None:
    threads = BoundedThreads(1, queue=6, per_client=4)
    queue = Queue(threads, gate)

    await queue.finish(await queue.add("a1", "a2", "a3", "a4", "a5", "a6", "a7", "b1", "b2"))

    threads.close()
    assert queue.refused == ["a6", "a7"]


@pytest.mark.promise("L10")
@pytest.mark.usefixtures("long_wait")
async def test_when_the_queue_is_full_the_one_with_most_calls_in_it_gives_way(gate: threading.Event) -> None:
    threads = BoundedThreads(1, queue=4, per_client=4)
    queue = Queue(threads, gate)
    tasks = await queue.add("a1", "a2", "a3", "a4", "a5")

    tasks += await queue.add("b1", "b2", "b3", "c1", "d1", "e1")
    await queue.finish(tasks)

    threads.close()
    # b3 would be the client's third while nobody has more than two, and e1 came when each had one.
    assert sorted(queue.refused) == ["a3", "a4", "a5", "b2", "b3", "e1"]
    assert queue.served == ["a1", "b1", "c1", "d1", "a2"]


class ManualThreads:
    """Work is done when the test says so, on the loop, between two steps of it."""

    def __init__(self, *_: object, **__: object) -> None:
        self.begun: list[Future[object]] = []

    def submit(self, _: object) -> Future[object]:
        self.begun.append(Future())
        return self.begun[-1]


@pytest.mark.promise("L10")
@pytest.mark.usefixtures("long_wait")
async def test_who_is_cancelled_at_the_moment_of_its_turn_gives_it_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    executor = ManualThreads()
    monkeypatch.setattr(bounded_threads, "ThreadPoolExecutor", lambda *_, **__: executor)
    threads = BoundedThreads(1)
    first, second, third = [asyncio.create_task(threads.run(lambda: None, client)) for client in "abc"]
    await asyncio.sleep(0)

    executor.begun[0].set_result(None)  # the permit is given back in the loop's next step, and to `second`,
    asyncio.get_running_loop().call_soon(second.cancel)  # which is cancelled in the same step
    await first
    with pytest.raises(asyncio.CancelledError):
        await second

    assert len(executor.begun) == 2
    executor.begun[1].set_result(None)
    async with asyncio.timeout(PATIENCE):
        await third
