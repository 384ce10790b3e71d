"""What the tests of every module need to know of accounts."""

from collections.abc import Mapping
from typing import Final

from gatehouse.accounts.application.identity import IdentifyAgain
from gatehouse.accounts.application.passwords import AttemptLimits
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
from gatehouse.accounts.application.queries.export_users import UserExport
from gatehouse.accounts.application.queries.get_me import AccountById
from gatehouse.accounts.application.queries.get_user import AccountByUsername
from gatehouse.accounts.application.queries.list_sessions import LiveSessionViews
from gatehouse.accounts.application.queries.list_users import UserPages
from gatehouse.accounts.domain.password import PasswordPolicy
from gatehouse.accounts.domain.session import SessionLifetime
from gatehouse.accounts.module import ACCOUNTS
from gatehouse.testing.accounts.fake_queries import (
    FakeAccountById,
    FakeAccountByUsername,
    FakeSessionViews,
    FakeUserExport,
    FakeUserPages,
)
from gatehouse.testing.accounts.fakes import (
    FakeCountedAttempts,
    FakeErasedNames,
    FakeExpiredRows,
    FakeIdentifyAgain,
    FakeLiveSessions,
    FakePasswordHasher,
    FakePasswordStrength,
    FakeSessions,
    FakeSessionTokens,
    FakeThrottle,
    FakeUsers,
)
from gatehouse.testing.accounts.import_fakes import FakeImportedHashes, FakeSeenKeys, FakeUserBatches
from gatehouse.testing.declaration import ModuleTests
from gatehouse.testing.fakes import LIFETIME, LIMITS, Memory


def _fakes(memory: Memory) -> Mapping[object, object]:
    throttle = FakeThrottle()
    return {
        Users: FakeUsers(memory.transaction),
        UserBatches: FakeUserBatches(memory.transaction),
        ImportedHashes: FakeImportedHashes(),
        SeenKeys: FakeSeenKeys(),
        Sessions: FakeSessions(memory.transaction),
        LiveSessions: FakeLiveSessions(memory.store, LIFETIME),
        SessionLifetime: LIFETIME,
        SessionTokens: FakeSessionTokens(),
        PasswordHasher: FakePasswordHasher(memory.transaction),
        PasswordPolicy: PasswordPolicy(15),
        PasswordStrength: FakePasswordStrength(),
        Throttle: throttle,
        CountedAttempts: FakeCountedAttempts(memory.transaction, throttle, memory.clock),
        ErasedNames: FakeErasedNames(memory.transaction),
        AttemptLimits: LIMITS,
        IdentifyAgain: FakeIdentifyAgain(memory.store),
        ExpiredRows: FakeExpiredRows(memory.store),
        AccountById: FakeAccountById(memory.store),
        AccountByUsername: FakeAccountByUsername(memory.store),
        UserExport: FakeUserExport(memory.store),
        UserPages: FakeUserPages(memory.store),
        LiveSessionViews: FakeSessionViews(memory.store, memory.clock),
    }


ACCOUNTS_TESTS: Final = ModuleTests(
    module=ACCOUNTS,
    package="gatehouse.accounts",
    problems={
        "invalid-credentials": (401, "The username or the password is wrong, or the account is inactive."),
        "user-not-found": (404, "There is no such user."),
        "session-not-found": (404, "There is no such session."),
        "username-taken": (409, "This username is taken."),
        "last-super-admin": (409, "The last active super admin cannot be removed."),
    },
    fakes=_fakes,
    tables_of_refused_calls=frozenset({"attempts"}),
)
