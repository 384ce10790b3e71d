"""More parallel logins than can be hashed."""

import asyncio
import time
from dataclasses import replace

import pytest

from gatehouse.accounts.settings import PasswordSettings
from gatehouse.common.settings import Settings
from tests.conftest import RunningApp
from tests.fakes import PASSWORD
from tests.http.answers import PROBLEMS
from tests.http.running_app import run_app, try_log_in

ME = "/api/v1/account/me"
LOGINS = 60


@pytest.mark.promise("D1", "D2")
async def test_a_storm_of_logins_is_refused_in_part_and_keeps_nobody_else_waiting(
    app: RunningApp, settings: Settings
) -> None:
    await app.add_user("alice")
    costly = replace(settings[PasswordSettings], work_factor=10)
    async with run_app(settings.replace(costly)) as storm:
        reader, guesser = await storm.log_in("alice"), await storm.client()
        start = time.monotonic()

        async def attempt(number: int) -> int:
            answer = await try_log_in(guesser, f"user-{number}", f"guess {number} {PASSWORD}")
            assert ("retry-after" in answer.headers) is (answer.status_code in (429, 503))
            return answer.status_code

        async with asyncio.TaskGroup() as group:
            attempts = [group.create_task(attempt(number)) for number in range(LOGINS)]
            waits = []
            while not all(task.done() for task in attempts):
                started_at = time.monotonic()
                for path in ("/livez", ME):
                    assert (await reader.get(path)).status_code == 200
                waits.append(time.monotonic() - started_at)
                await asyncio.sleep(0.02)

        statuses = [task.result() for task in attempts]
        assert set(statuses) <= {PROBLEMS["invalid-credentials"][0], 429, 503}
        assert statuses.count(401) > 0
        assert statuses.count(503) > 0, "the storm was too small to be one"
        assert time.monotonic() - start < 10
        assert len(waits) > 5
        assert sorted(waits)[len(waits) // 2] < 0.5
        assert (await try_log_in(await storm.client())).status_code == 204
