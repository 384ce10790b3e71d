"""The audit trail as its readers get it."""

from typing import Any

import httpx

from gatehouse.audit.infrastructure.failed_attempts import FailureWriter
from gatehouse.testing.running_app import RunningApp

AUDIT = "/api/v1/audit/"


async def page(app: RunningApp, chief: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    await (await app.container.get(FailureWriter)).flush()
    answer = await chief.get(AUDIT, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def trail(
    app: RunningApp, chief: httpx.AsyncClient, **query: Any
) -> list[tuple[str, str, str | None, str | None]]:
    events = (await page(app, chief, **query))["events"]
    return [(event["action"], event["outcome"], event["actor"], event["target"]) for event in events]
