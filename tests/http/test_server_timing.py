"""Server-Timing, for whoever develops."""

import re

import pytest

from gatehouse.common.settings import AppSettings, Environment, Settings
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import ORIGIN

TIMES = re.compile(r"total;dur=(\d+\.\d), db;dur=(\d+\.\d)")


async def test_in_development_an_answer_says_how_long_it_took(settings: Settings) -> None:
    async with run_app(settings.replace(AppSettings(environment=Environment.DEVELOPMENT, origin=ORIGIN))) as app:
        client = await app.client()
        status = TIMES.fullmatch((await client.get("/api/v1/")).headers["server-timing"])
        ready = TIMES.fullmatch((await client.get("/readyz")).headers["server-timing"])

    assert status is not None
    assert float(status[2]) == 0
    assert ready is not None
    assert 0 < float(ready[2]) <= float(ready[1])


@pytest.mark.parametrize("environment", [Environment.PRODUCTION, Environment.TEST])
async def test_elsewhere_strangers_learn_no_times(settings: Settings, environment: Environment) -> None:
    async with run_app(settings.replace(AppSettings(environment=environment, origin=ORIGIN))) as app:
        for path in ("/", "/readyz", "/api/v1/account/me", "/nothing"):
            assert "server-timing" not in (await (await app.client()).get(path)).headers
