"""FastAPI records requests with OpenTelemetry where that is set up: query strings, input, stack traces."""

import pytest
from opentelemetry import _logs, metrics, trace

from gatehouse.testing.running_app import LOGIN, RunningApp

PROVIDERS = [(trace, "get_tracer_provider"), (metrics, "get_meter_provider"), (_logs, "get_logger_provider")]


@pytest.mark.promise("P12")
async def test_fastapi_s_own_telemetry_looks_for_nobody_who_collects_it(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_for: list[str] = []
    for module, name in PROVIDERS:
        monkeypatch.setattr(module, name, lambda name=name: looked_for.append(name))
    client = await app.client()

    assert (await client.get("/livez?secret=hunter2")).status_code == 200
    assert (await client.post(LOGIN, json={"password": "hunter2"})).status_code == 422
    assert looked_for == []
