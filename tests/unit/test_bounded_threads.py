import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.infrastructure import bounded_threads
from gatehouse.common.infrastructure.bounded_threads import BoundedThreads

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
    assert await single_thread.run(threading.get_ident) != threading.get_ident()


async def test_as_much_work_is_done_at_once_as_there_are_threads() -> None:
    threads, together = BoundedThreads(2), threading.Barrier(2)

    places = await asyncio.gather(*(threads.run(lambda: together.wait(PATIENCE)) for _ in range(2)))

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

    first = asyncio.create_task(single_thread.run(lambda: work("first")))
    second = asyncio.create_task(single_thread.run(lambda: work("second")))
    await asyncio.sleep(0)
    gate.set()

    assert await first == ["first"]
    assert await second == ["first", "second"]


async def test_an_error_in_the_work_comes_back_and_gives_the_permit_back(single_thread: BoundedThreads) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await single_thread.run(lambda: 1 // 0)


@pytest.mark.promise("D1")
async def test_a_permit_comes_back_when_the_thread_ends_not_when_the_caller_is_cancelled(
    single_thread: BoundedThreads, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: Future[None] = Future()

    def work() -> None:
        started.set_result(None)
        gate.wait(PATIENCE)

    caller = asyncio.create_task(single_thread.run(work))
    await asyncio.wrap_future(started)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller

    monkeypatch.setattr(bounded_threads, "MAX_WAIT_SECONDS", 0)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(UnavailableError):
            await single_thread.run(lambda: None)

    monkeypatch.setattr(bounded_threads, "MAX_WAIT_SECONDS", PATIENCE)
    gate.set()
    assert await single_thread.run(lambda: "done") == "done"


@pytest.mark.usefixtures("long_wait")
async def test_one_who_is_cancelled_while_waiting_takes_neither_permit_nor_place(
    single_thread: BoundedThreads, gate: threading.Event
) -> None:
    running_task = asyncio.create_task(single_thread.run(lambda: gate.wait(PATIENCE)))
    waiting_tasks = [asyncio.create_task(single_thread.run(lambda: pytest.fail("ran"))) for _ in range(2)]
    with pytest.raises(UnavailableError):
        await asyncio.create_task(single_thread.run(lambda: pytest.fail("ran")))
    for task in waiting_tasks:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    later = [asyncio.create_task(single_thread.run(lambda: "done")) for _ in range(2)]
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
    accepted_tasks = [asyncio.create_task(single_thread.run(lambda: gate.wait(PATIENCE))) for _ in range(3)]
    refused_task = asyncio.create_task(single_thread.run(lambda: True))

    with pytest.raises(UnavailableError):
        await refused_task

    gate.set()
    assert await asyncio.gather(*accepted_tasks) == [True, True, True]


@pytest.mark.promise("D1")
@pytest.mark.usefixtures("short_wait")
async def test_nobody_waits_long(single_thread: BoundedThreads, gate: threading.Event) -> None:
    running_task = asyncio.create_task(single_thread.run(lambda: gate.wait(PATIENCE)))
    refused_task = asyncio.create_task(single_thread.run(lambda: True))

    with pytest.raises(UnavailableError):
        await refused_task

    gate.set()
    assert await running_task


def test_a_wait_is_bounded_by_a_second() -> None:
    assert bounded_threads.MAX_WAIT_SECONDS <= 1
