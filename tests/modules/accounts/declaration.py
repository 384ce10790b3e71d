from dataclasses import replace
from typing import Final

from gatehouse.accounts.application.ports import (
    CountedAttempts,
    ErasedNames,
    ExpiredRows,
    ImportedHashes,
    LiveSessions,
    PasswordHasher,
    PasswordStrength,
    SeenKeys,
    Sessions,
    SessionTokens,
    Throttle,
    UserBatches,
    Users,
)
from gatehouse.testing.declarations.accounts import ACCOUNTS_TESTS
from tests.modules.accounts.calls import CALLS
from tests.modules.accounts.fault_cases import FAULT_CASES
from tests.modules.accounts.million import MILLION_ROWS
from tests.modules.database_cases import DatabaseCases

TESTS: Final = replace(
    ACCOUNTS_TESTS,
    calls=CALLS,
    fault_cases=FAULT_CASES,
    ports={
        Users: "tests/integration/test_users_gateway.py",
        Sessions: "tests/integration/test_sessions_gateway.py",
        LiveSessions: "tests/integration/test_live_sessions_gateway.py",
        Throttle: "tests/integration/test_throttle_gateway.py",
        ErasedNames: "tests/integration/test_erasure_gateways.py",
        CountedAttempts: "tests/integration/test_throttle_gateway.py",
        ExpiredRows: "tests/integration/test_purge.py",
        SessionTokens: "tests/unit/test_tokens.py",
        PasswordStrength: "tests/unit/test_password_strength.py",
        UserBatches: "tests/integration/test_user_batches_gateway.py",
        SeenKeys: "tests/unit/test_seen_keys.py",
        ImportedHashes: "tests/unit/test_stored_hashes.py",
        PasswordHasher: "tests/unit/test_passwords.py",
    },
)
DATABASE_CASES: Final = DatabaseCases(
    replica_change=(
        "UPDATE users SET updated_at = updated_at + interval '1 hour'",
        "UPDATE sessions SET user_agent = 'another'",
    ),
    million_rows=MILLION_ROWS,
)
