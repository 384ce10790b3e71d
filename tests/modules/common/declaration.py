from dataclasses import replace

from gatehouse.common.application.ports import (
    Audit,
    Caller,
    Clock,
    ErasableTrail,
    FailedAttempts,
    Readiness,
    Transaction,
)
from gatehouse.testing.declaration import Call
from gatehouse.testing.declarations.common import COMMON_TESTS

TESTS = replace(
    COMMON_TESTS,
    calls=(
        Call(method="GET", path="/", status=307, open_to="everyone"),
        Call(method="GET", path="/api/v1/", status=200, open_to="everyone"),
        Call(method="GET", path="/livez", status=200, open_to="everyone"),
        Call(method="GET", path="/readyz", status=200, open_to="everyone"),
    ),
    ports={
        Clock: "tests/integration/test_users_gateway.py",
        Transaction: "tests/integration/test_transaction.py",
        Caller: "tests/http/test_matrix.py",
        ErasableTrail: "tests/integration/test_erasure.py",
        Audit: "tests/integration/test_audit_gateway.py",
        FailedAttempts: "tests/integration/test_failed_attempts.py",
        Readiness: "tests/http/test_readiness.py",
    },
)
