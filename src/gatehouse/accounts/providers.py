"""Which adapter stands behind which port of accounts. Commands and queries are listed in module.py."""

import os
from collections.abc import Iterator
from datetime import timedelta

from dishka import AnyOf, Provider, Scope, provide

from gatehouse.accounts.application.authentication import Authenticate
from gatehouse.accounts.application.identity import IdentifyAgain, Identity
from gatehouse.accounts.application.passwords import AttemptLimits, Passwords
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
from gatehouse.accounts.application.user_import import UserReader
from gatehouse.accounts.domain.password import PasswordPolicy
from gatehouse.accounts.domain.session import SessionLifetime
from gatehouse.accounts.infrastructure.breached_passwords import BreachedPasswords
from gatehouse.accounts.infrastructure.counted_attempts import SqlCountedAttempts
from gatehouse.accounts.infrastructure.erased_names import NameHashes, SqlErasedNames
from gatehouse.accounts.infrastructure.expired_rows import SqlExpiredRows
from gatehouse.accounts.infrastructure.imported_hashes import StorableHashes
from gatehouse.accounts.infrastructure.password_strength import (
    SHIPPED_BLOCKLIST,
    SHIPPED_PHRASES,
    ZxcvbnPasswordStrength,
    read_lines,
)
from gatehouse.accounts.infrastructure.passwords import BcryptPasswordHasher
from gatehouse.accounts.infrastructure.queries.export_users import SqlUserExport
from gatehouse.accounts.infrastructure.queries.get_me import SqlAccountById
from gatehouse.accounts.infrastructure.queries.get_user import SqlAccountByUsername
from gatehouse.accounts.infrastructure.queries.list_sessions import SqlLiveSessionViews
from gatehouse.accounts.infrastructure.queries.list_users import SqlUserPages
from gatehouse.accounts.infrastructure.seen_keys import SqliteSeenKeys
from gatehouse.accounts.infrastructure.sessions import SqlLiveSessions, SqlSessions
from gatehouse.accounts.infrastructure.throttle import SqlThrottle, ThrottleTimes
from gatehouse.accounts.infrastructure.tokens import JwtSessionTokens
from gatehouse.accounts.infrastructure.user_batches import SqlUserBatches
from gatehouse.accounts.infrastructure.users import SqlUsers
from gatehouse.accounts.presentation.http.authentication import identify, identify_again
from gatehouse.accounts.presentation.http.cookie import SessionCookie
from gatehouse.accounts.settings import JwtSettings, PasswordSettings, SessionSettings, ThrottleSettings
from gatehouse.common.application.metrics import Metrics
from gatehouse.common.application.paging import Cursors
from gatehouse.common.application.ports import Caller
from gatehouse.common.infrastructure.bounded_threads import BoundedThreads
from gatehouse.common.infrastructure.cursors import SignedCursors
from gatehouse.common.settings import Settings


class GatewayProvider(Provider):
    scope = Scope.APP

    users = provide(SqlUsers, scope=Scope.REQUEST, provides=Users)
    user_batches = provide(SqlUserBatches, scope=Scope.REQUEST, provides=UserBatches)
    sessions = provide(SqlSessions, scope=Scope.REQUEST, provides=Sessions)
    live_sessions = provide(SqlLiveSessions, provides=LiveSessions)
    throttle = provide(SqlThrottle, provides=Throttle)
    erased_names = provide(SqlErasedNames, scope=Scope.REQUEST, provides=ErasedNames)
    counted_attempts = provide(SqlCountedAttempts, scope=Scope.REQUEST, provides=CountedAttempts)
    expired_rows = provide(SqlExpiredRows, provides=ExpiredRows)
    account_by_id = provide(SqlAccountById, provides=AccountById)
    account_by_username = provide(SqlAccountByUsername, provides=AccountByUsername)
    user_pages = provide(SqlUserPages, provides=UserPages)
    user_export = provide(SqlUserExport, provides=UserExport)
    session_views = provide(SqlLiveSessionViews, provides=LiveSessionViews)

    user_reader = provide(UserReader, scope=Scope.REQUEST)

    @provide(scope=Scope.REQUEST)
    def seen_keys(self) -> Iterator[SeenKeys]:
        seen = SqliteSeenKeys()
        yield seen
        seen.close()


class SecurityProvider(Provider):
    scope = Scope.APP

    authenticate = provide(Authenticate)
    identity = provide(staticmethod(identify), scope=Scope.REQUEST, provides=AnyOf[Identity, Caller])
    identify_again = provide(staticmethod(identify_again), scope=Scope.REQUEST, provides=IdentifyAgain)
    passwords = provide(Passwords, scope=Scope.REQUEST)

    @provide
    def policy(self, settings: Settings) -> PasswordPolicy:
        return PasswordPolicy(settings[PasswordSettings].min_length)

    @provide
    def lifetime(self, settings: Settings) -> SessionLifetime:
        session = settings[SessionSettings]
        return SessionLifetime(
            timedelta(minutes=session.idle_minutes), timedelta(hours=session.absolute_hours), session.max_per_user
        )

    @provide
    def limits(self, settings: Settings) -> AttemptLimits:
        throttle = settings[ThrottleSettings]
        return AttemptLimits(
            throttle.attempts_per_account, throttle.attempts_per_address, throttle.sign_ups_per_address
        )

    @provide
    def throttle_times(self, settings: Settings) -> ThrottleTimes:
        throttle = settings[ThrottleSettings]
        return ThrottleTimes(
            timedelta(minutes=throttle.memory_minutes), timedelta(seconds=throttle.longest_wait_seconds)
        )

    @provide
    def cookie(self, settings: Settings) -> SessionCookie:
        return SessionCookie(settings.has_secure_cookies)

    @provide(provides=SessionTokens)
    def tokens(self, settings: Settings) -> JwtSessionTokens:
        jwt = settings[JwtSettings]
        return JwtSessionTokens([jwt.secret, *jwt.previous_secrets])

    @provide(provides=Cursors)
    def cursors(self, settings: Settings) -> SignedCursors:
        return SignedCursors(settings[JwtSettings].secret)

    @provide
    def threads(self) -> Iterator[BoundedThreads]:
        threads = BoundedThreads(max(1, (os.cpu_count() or 1) - 1))
        yield threads
        threads.close()

    @provide
    def breached(self, settings: Settings) -> Iterator[BreachedPasswords | None]:
        if not (file := settings[PasswordSettings].breached):
            yield None
            return
        with BreachedPasswords(settings.folder / file) as breached:
            yield breached

    @provide
    def strength(self, settings: Settings, breached: BreachedPasswords | None) -> Iterator[PasswordStrength]:
        password = settings[PasswordSettings]
        blocklist = settings.folder / password.blocklist if password.blocklist else SHIPPED_BLOCKLIST
        phrases = settings.folder / password.phrases if password.phrases else SHIPPED_PHRASES
        threads = BoundedThreads(1)  # its own, so that hashing never waits behind a password that is being judged
        yield ZxcvbnPasswordStrength(read_lines(blocklist), read_lines(phrases), breached, threads)
        threads.close()

    @provide
    def name_hashes(self, settings: Settings) -> NameHashes:
        return NameHashes(settings[PasswordSettings].peppers)

    @provide(provides=PasswordHasher)
    def hasher(self, settings: Settings, threads: BoundedThreads, metrics: Metrics) -> BcryptPasswordHasher:
        password = settings[PasswordSettings]
        return BcryptPasswordHasher(
            password.peppers, password.work_factor, threads, metrics, imported_pepper=password.imported_pepper
        )

    @provide(provides=ImportedHashes)
    def imported_hashes(self, settings: Settings) -> StorableHashes:
        password = settings[PasswordSettings]
        return StorableHashes(password.peppers, password.imported_pepper, password.work_factor)
