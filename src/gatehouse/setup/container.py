"""Which adapter stands behind which port. A new use case is one line in `UseCases`."""

import os
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

from dishka import AnyOf, AsyncContainer, Provider, Scope, from_context, make_async_container, provide, provide_all
from dishka.integrations.fastapi import FastapiProvider

from gatehouse.accounts.application.authentication import Authenticate
from gatehouse.accounts.application.commands.change_password import ChangePassword
from gatehouse.accounts.application.commands.create_super_admin import CreateSuperAdmin
from gatehouse.accounts.application.commands.create_user import CreateUser
from gatehouse.accounts.application.commands.end_other_sessions import EndOtherSessions
from gatehouse.accounts.application.commands.end_session import EndSession
from gatehouse.accounts.application.commands.end_user_sessions import EndUserSessions
from gatehouse.accounts.application.commands.grant_admin import GrantAdmin
from gatehouse.accounts.application.commands.inactivate_user import InactivateUser
from gatehouse.accounts.application.commands.log_in import LogIn
from gatehouse.accounts.application.commands.log_out import LogOut
from gatehouse.accounts.application.commands.purge_sessions import PurgeSessions
from gatehouse.accounts.application.commands.reactivate_user import ReactivateUser
from gatehouse.accounts.application.commands.revoke_admin import RevokeAdmin
from gatehouse.accounts.application.commands.revoke_super_admin import RevokeSuperAdmin
from gatehouse.accounts.application.commands.sign_up import SignUp
from gatehouse.accounts.application.passwords import AttemptLimits, Passwords
from gatehouse.accounts.application.ports import (
    Audit,
    Clock,
    ExpiredRows,
    FailedAttempts,
    LiveSessions,
    PasswordHasher,
    PasswordStrength,
    Readiness,
    Sessions,
    SessionTokens,
    Throttle,
    Transaction,
    Users,
)
from gatehouse.accounts.application.queries.get_me import AccountById, GetMe
from gatehouse.accounts.application.queries.get_user import AccountByUsername, GetUser
from gatehouse.accounts.application.queries.list_sessions import ListSessions, LiveSessionViews
from gatehouse.accounts.application.queries.list_user_sessions import ListUserSessions
from gatehouse.accounts.application.queries.list_users import ListUsers, UserPages
from gatehouse.accounts.domain.password import PasswordPolicy
from gatehouse.accounts.domain.session import SessionLifetime
from gatehouse.accounts.infrastructure.expired_rows import SqlExpiredRows
from gatehouse.accounts.infrastructure.password_strength import SHIPPED_BLOCKLIST, ZxcvbnPasswordStrength
from gatehouse.accounts.infrastructure.passwords import BcryptPasswordHasher
from gatehouse.accounts.infrastructure.queries.get_me import SqlAccountById
from gatehouse.accounts.infrastructure.queries.get_user import SqlAccountByUsername
from gatehouse.accounts.infrastructure.queries.list_sessions import SqlLiveSessionViews
from gatehouse.accounts.infrastructure.queries.list_users import SqlUserPages
from gatehouse.accounts.infrastructure.sessions import SqlLiveSessions, SqlSessions
from gatehouse.accounts.infrastructure.throttle import SqlThrottle, ThrottleTimes
from gatehouse.accounts.infrastructure.tokens import JwtSessionTokens
from gatehouse.accounts.infrastructure.users import SqlUsers
from gatehouse.accounts.presentation.http.cookie import SessionCookie
from gatehouse.audit.application.queries.list_audit_events import AuditPages, ListAuditEvents
from gatehouse.audit.infrastructure.audit_trail import (
    FailureWriter,
    Scene,
    SqlAudit,
    SqlFailedAttempts,
    running_failure_writer,
)
from gatehouse.audit.infrastructure.queries.list_audit_events import SqlAuditPages
from gatehouse.common.application.paging import Cursors
from gatehouse.common.application.write_position import CurrentWritten
from gatehouse.common.infrastructure.bounded_threads import BoundedThreads
from gatehouse.common.infrastructure.clock import SystemClock
from gatehouse.common.infrastructure.cursors import SignedCursors
from gatehouse.common.infrastructure.database import Database, opened
from gatehouse.common.infrastructure.migrations import SchemaReadiness, migration_config
from gatehouse.common.infrastructure.replica.read_replica import Reads, Replica, watched
from gatehouse.common.infrastructure.transaction import SqlTransaction
from gatehouse.common.presentation.http.access import identify
from gatehouse.common.presentation.http.request_context import origin_of
from gatehouse.common.presentation.http.write_position import current_written
from gatehouse.setup.settings import PROJECT_ROOT, Settings


class UseCases(Provider):
    scope = Scope.REQUEST

    commands = provide_all(
        SignUp,
        LogIn,
        LogOut,
        CreateUser,
        InactivateUser,
        ReactivateUser,
        GrantAdmin,
        RevokeAdmin,
        ChangePassword,
        CreateSuperAdmin,
        RevokeSuperAdmin,
        EndSession,
        EndOtherSessions,
        EndUserSessions,
        PurgeSessions,
    )
    queries = provide_all(GetMe, GetUser, ListUsers, ListSessions, ListUserSessions, ListAuditEvents)
    passwords = provide(Passwords)
    identity = provide(staticmethod(identify))
    origin = provide(staticmethod(origin_of))


class Persistence(Provider):
    """Gateways of commands share the request's transaction; those of queries need only the pool, and are made once."""

    scope = Scope.APP

    transaction = provide(SqlTransaction, scope=Scope.REQUEST, provides=AnyOf[SqlTransaction, Transaction])
    users = provide(SqlUsers, scope=Scope.REQUEST, provides=Users)
    sessions = provide(SqlSessions, scope=Scope.REQUEST, provides=Sessions)
    live_sessions = provide(SqlLiveSessions, provides=LiveSessions)
    reads = provide(Reads)
    account_by_id = provide(SqlAccountById, provides=AccountById)
    account_by_username = provide(SqlAccountByUsername, provides=AccountByUsername)
    user_pages = provide(SqlUserPages, provides=UserPages)
    session_views = provide(SqlLiveSessionViews, provides=LiveSessionViews)
    audit_pages = provide(SqlAuditPages, provides=AuditPages)
    scene = provide(Scene, scope=Scope.REQUEST)
    audit = provide(SqlAudit, scope=Scope.REQUEST, provides=Audit)
    failed_attempts = provide(SqlFailedAttempts, scope=Scope.REQUEST, provides=FailedAttempts)
    throttle = provide(SqlThrottle, provides=Throttle)
    expired_rows = provide(SqlExpiredRows, provides=ExpiredRows)

    @provide
    def current_written(self) -> CurrentWritten:
        return current_written

    @provide
    async def failure_writer(self, database: Database) -> AsyncIterator[FailureWriter]:
        async with running_failure_writer(database) as writer:
            yield writer

    @provide
    async def database(self, settings: Settings) -> AsyncIterator[Database]:
        postgres = settings.postgres
        async with opened(postgres.url, postgres.pool_size, has_replica=bool(postgres.replica_url)) as database:
            yield database

    @provide
    async def replica(self, settings: Settings, primary: Database) -> AsyncIterator[Replica | None]:
        if not settings.postgres.replica_url:
            yield None
            return
        async with (
            opened(settings.postgres.replica_url, settings.postgres.pool_size) as database,
            watched(database, primary) as replica,
        ):
            yield replica

    @provide(provides=Readiness)
    def readiness(self, settings: Settings, database: Database) -> SchemaReadiness:
        return SchemaReadiness(database, migration_config(PROJECT_ROOT, settings.postgres.url))


class Security(Provider):
    scope = Scope.APP

    settings = from_context(Settings)
    authenticate = provide(Authenticate)
    clock = provide(SystemClock, provides=Clock)

    @provide
    def policy(self, settings: Settings) -> PasswordPolicy:
        return PasswordPolicy(settings.password.min_length)

    @provide
    def lifetime(self, settings: Settings) -> SessionLifetime:
        return SessionLifetime(settings.session.idle, settings.session.absolute, settings.session.max_per_user)

    @provide
    def limits(self, settings: Settings) -> AttemptLimits:
        throttle = settings.throttle
        return AttemptLimits(
            throttle.attempts_per_account, throttle.attempts_per_address, throttle.sign_ups_per_address
        )

    @provide
    def throttle_times(self, settings: Settings) -> ThrottleTimes:
        throttle = settings.throttle
        return ThrottleTimes(
            timedelta(minutes=throttle.memory_minutes), timedelta(seconds=throttle.longest_wait_seconds)
        )

    @provide
    def cookie(self, settings: Settings) -> SessionCookie:
        return SessionCookie(settings.cookie.secure)

    @provide(provides=SessionTokens)
    def tokens(self, settings: Settings) -> JwtSessionTokens:
        return JwtSessionTokens([settings.jwt.secret, *settings.jwt.previous_secrets])

    @provide(provides=Cursors)
    def cursors(self, settings: Settings) -> SignedCursors:
        return SignedCursors(settings.jwt.secret)

    @provide
    def threads(self) -> Iterator[BoundedThreads]:
        threads = BoundedThreads(max(1, (os.cpu_count() or 1) - 1))
        yield threads
        threads.close()

    @provide(provides=PasswordStrength)
    def strength(self, settings: Settings, threads: BoundedThreads) -> ZxcvbnPasswordStrength:
        blocklist = settings.password.blocklist
        return ZxcvbnPasswordStrength(PROJECT_ROOT / blocklist if blocklist else SHIPPED_BLOCKLIST, threads)

    @provide(provides=PasswordHasher)
    def hasher(self, settings: Settings, threads: BoundedThreads) -> BcryptPasswordHasher:
        peppers = [settings.password.pepper, *settings.password.previous_peppers]
        return BcryptPasswordHasher(peppers, settings.password.work_factor, threads)


def create_container(settings: Settings, *overrides: Provider) -> AsyncContainer:
    """Later providers override earlier ones: a service built on this one, or a test, brings its own parts."""
    return make_async_container(
        UseCases(), Persistence(), Security(), FastapiProvider(), *overrides, context={Settings: settings}
    )
