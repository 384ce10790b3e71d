"""`gatehouse serve` with several workers: each sends its own spans, and the last of them when it stops."""

from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from psycopg.conninfo import make_conninfo

from gatehouse.testing.database import SERVER_ROLE, CreateDatabase
from tests.server_process import ServerProcess
from tests.trace_receiver import receive_traces


@pytest.mark.slow
def test_each_worker_sends_its_spans_at_its_end_at_the_latest(
    create_database: CreateDatabase, processes: ExitStack, tmp_path: Path
) -> None:
    url = make_conninfo(create_database("traced"), user=SERVER_ROLE)
    with receive_traces() as receiver:
        server = ServerProcess(
            tmp_path,
            processes,
            2,
            GATEHOUSE_POSTGRES__URL=url,
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
            OTEL_BSP_SCHEDULE_DELAY="600000",
            OTEL_SERVICE_NAME="accounts",
        )
        workers = server.worker_pids
        for _ in range(20):
            assert httpx.get(f"{server.url}/api/v1/account/me").status_code == 401
        assert receiver.bodies == []

        server.process.terminate()
        server.end()

    assert server.process.returncode == 0
    assert [span.name for span in receiver.spans] == ["GET /api/v1/account/me"] * 20
    assert {resource["service.name"] for resource in receiver.resources} == {"accounts"}
    assert {resource["process.pid"] for resource in receiver.resources} <= workers
