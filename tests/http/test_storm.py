"""More parallel logins than can be hashed. The one thread that hashes is held: no machine is too fast."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from dishka import Provider, Scope

from gatehouse.common.infrastructure import bounded_threads
from gatehouse.common.infrastructure.bounded_threads import BoundedThreads
from gatehouse.common.settings import Settings
from gatehouse.testing.answers import assert_done, assert_problem
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import RunningApp, client_from, try_log_in
from gatehouse.testing.under_test import all_problems
from tests.integration.conftest import until

pytestmark = pytest.mark.slow

PATIENCE = 60
WAITING = 16
"""How many calls of one client wait."""


class ObservedThreads(BoundedThreads):
    """One thread; says how many calls have come, and whose were served in which order."""

    def __init__(self) -> None:
        super().__init__(1)
        self.come = 0
        self.served: list[str] = []

    async def run[T](self, work: Callable[[], T], client: str) -> T:
        def observed_work() -> T:
            self.served.append(client)
            return work()

        self.come += 1
        return await super().run(observed_work, client)


@dataclass
class Storm:
    app: RunningApp
    threads: ObservedThreads
    _thread_is_free: threading.Event = field(default_factory=threading.Event)

    async def hold_thread(self) -> asyncio.Task[bool]:
        task = asyncio.create_task(self.threads.run(lambda: self._thread_is_free.wait(PATIENCE), "holder"))
        await self.until_come(1)
        return task

    def release_thread(self) -> None:
        self._thread_is_free.set()

    async def until_come(self, calls: int) -> None:
        async def have_come() -> bool:
            return self.threads.come == calls

        await until(have_come, PATIENCE)


@pytest.fixture
async def storm(app: RunningApp, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Storm]:
    monkeypatch.setattr(bounded_threads, "MAX_WAIT_SECONDS", PATIENCE)
    await app.add_user("alice")
    threads = ObservedThreads()
    parts = Provider(scope=Scope.APP)
    parts.provide(lambda: threads, provides=BoundedThreads)
    async with run_app(settings, parts) as own_app:
        storm = Storm(own_app, threads)
        yield storm
        storm.release_thread()
    threads.close()


@pytest.mark.promise("D1", "D2")
async def test_a_storm_of_logins_is_refused_in_part_and_keeps_no_other_route_waiting(storm: Storm) -> None:
    reader, guesser = await storm.app.log_in("alice"), await storm.app.client()
    storm.threads.come = 0
    holder = await storm.hold_thread()

    logins = [asyncio.create_task(try_log_in(guesser, f"user-{number}")) for number in range(WAITING + 4)]
    await storm.until_come(1 + len(logins))
    for path in ("/livez", "/api/v1/account/me"):
        assert (await reader.get(path)).status_code == 200
    storm.release_thread()
    answers = await asyncio.gather(*logins)
    await holder

    refused = [answer for answer in answers if answer.status_code == all_problems()["unavailable"][0]]
    assert len(refused) == 4
    assert all("retry-after" in answer.headers for answer in refused)
    for answer in answers:
        if answer not in refused:
            assert_problem(answer, "invalid-credentials")
    assert_done(await try_log_in(await storm.app.client()))


@pytest.mark.promise("L10")
async def test_one_address_with_right_passwords_keeps_no_other_from_logging_in(storm: Storm) -> None:
    for number in range(WAITING):
        await storm.app.add_user(f"crowd-{number}")
    storm.threads.come = 0
    crowd, victim = await client_from(storm.app, "192.0.2.1"), await client_from(storm.app, "198.51.100.7")
    holder = await storm.hold_thread()

    logins = [asyncio.create_task(try_log_in(crowd, f"crowd-{number}")) for number in range(WAITING)]
    await storm.until_come(1 + len(logins))
    late_login = asyncio.create_task(try_log_in(victim))
    await storm.until_come(2 + len(logins))
    storm.release_thread()
    answers = await asyncio.gather(late_login, *logins)
    await holder

    for answer in answers:
        assert_done(answer)
    assert storm.threads.served[-WAITING - 2 :] == ["holder", "192.0.2.1", "198.51.100.7", *["192.0.2.1"] * 15]


@pytest.mark.promise("P13")
async def test_a_password_that_is_being_judged_holds_up_neither_hashing_nor_other_routes(
    storm: Storm, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_judging, may_end = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def judge(*_: object, **__: object) -> dict[str, int]:
        loop.call_soon_threadsafe(is_judging.set)
        may_end.wait(PATIENCE)
        return {"guesses": 10**12}

    monkeypatch.setattr("gatehouse.accounts.infrastructure.password_strength.zxcvbn", judge)
    account = {"username": "newcomer", "password": PASSWORD}
    client = await storm.app.client()
    sign_up = asyncio.create_task(client.post("/api/v1/account/signup", json=account))
    try:
        await asyncio.wait_for(is_judging.wait(), PATIENCE)
        assert (await (await storm.app.log_in("alice")).get("/api/v1/account/me")).status_code == 200
        assert not sign_up.done()
    finally:
        may_end.set()
    assert (await sign_up).status_code == 201
