from gatehouse.accounts.application.passwords import AttemptLimits
from gatehouse.accounts.application.ports import (
    ExpiredRows,
    LiveSessions,
    PasswordHasher,
    PasswordStrength,
    Sessions,
    SessionTokens,
    Throttle,
    Users,
)
from gatehouse.accounts.application.queries.get_me import AccountById
from gatehouse.accounts.application.queries.get_user import AccountByUsername
from gatehouse.accounts.application.queries.list_sessions import LiveSessionViews
from gatehouse.accounts.application.queries.list_users import UserPages
from gatehouse.accounts.domain.password import PasswordPolicy
from gatehouse.accounts.domain.session import SessionLifetime
from gatehouse.accounts.module import ACCOUNTS
from tests.fakes import LIFETIME, LIMITS
from tests.in_memory_app import InMemoryApp
from tests.modules.accounts.calls import CALLS
from tests.modules.accounts.fake_queries import (
    FakeAccountById,
    FakeAccountByUsername,
    FakeSessionViews,
    FakeUserPages,
)
from tests.modules.accounts.fakes import (
    FakeExpiredRows,
    FakeLiveSessions,
    FakePasswordHasher,
    FakePasswordStrength,
    FakeSessions,
    FakeSessionTokens,
    FakeThrottle,
    FakeUsers,
)
from tests.modules.accounts.fault_cases import FAULT_CASES
from tests.modules.accounts.million import MILLION_ROWS
from tests.modules.declaration import ModuleTests


def _fakes(app: InMemoryApp) -> dict[object, object]:
    return {
        Users: FakeUsers(app.transaction),
        Sessions: FakeSessions(app.transaction),
        LiveSessions: FakeLiveSessions(app.store, LIFETIME),
        SessionLifetime: LIFETIME,
        SessionTokens: FakeSessionTokens(),
        PasswordHasher: FakePasswordHasher(app.transaction),
        PasswordPolicy: PasswordPolicy(15),
        PasswordStrength: FakePasswordStrength(),
        Throttle: FakeThrottle(),
        AttemptLimits: LIMITS,
        ExpiredRows: FakeExpiredRows(app.store),
        AccountById: FakeAccountById(app.store),
        AccountByUsername: FakeAccountByUsername(app.store),
        UserPages: FakeUserPages(app.store),
        LiveSessionViews: FakeSessionViews(app.store, app.clock),
    }


TESTS = ModuleTests(
    module=ACCOUNTS,
    package="gatehouse.accounts",
    calls=CALLS,
    fault_cases=FAULT_CASES,
    problems={
        "invalid-credentials": (401, "The username or the password is wrong, or the account is inactive."),
        "user-not-found": (404, "There is no such user."),
        "session-not-found": (404, "There is no such session."),
        "username-taken": (409, "This username is taken."),
        "last-super-admin": (409, "The last active super admin cannot be removed."),
    },
    fakes=_fakes,
    ports={
        Users: "tests/integration/test_users_gateway.py",
        Sessions: "tests/integration/test_sessions_gateway.py",
        LiveSessions: "tests/integration/test_live_sessions_gateway.py",
        Throttle: "tests/integration/test_throttle_gateway.py",
        ExpiredRows: "tests/integration/test_purge.py",
        SessionTokens: "tests/unit/test_tokens.py",
        PasswordStrength: "tests/unit/test_password_strength.py",
        PasswordHasher: "tests/unit/test_passwords.py",
    },
    tables_of_refused_calls=frozenset({"attempts"}),
    replica_change=(
        "UPDATE users SET updated_at = updated_at + interval '1 hour'",
        "UPDATE sessions SET user_agent = 'another'",
    ),
    million_rows=MILLION_ROWS,
)
