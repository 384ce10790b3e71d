from dataclasses import replace
from typing import Final

from gatehouse.audit.application.ports import UnfinishedErasures
from gatehouse.testing.declaration import Call
from gatehouse.testing.declarations.audit import AUDIT_TESTS
from tests.modules.audit.million import MILLION_ROWS
from tests.modules.database_cases import DatabaseCases

TESTS: Final = replace(
    AUDIT_TESTS,
    calls=(
        Call(method="GET", path="/api/v1/audit/", status=200, open_to="super_admin", asks_more_than_documented=True),
        Call(
            method="GET",
            path="/api/v1/audit/export",
            status=200,
            open_to="super_admin",
            asks_more_than_documented=True,
        ),
    ),
    ports={UnfinishedErasures: "tests/integration/test_erasure.py"},
)
DATABASE_CASES: Final = DatabaseCases(
    replica_change=("UPDATE audit_events SET ip = '203.0.113.9'",),
    million_rows=MILLION_ROWS,
)
