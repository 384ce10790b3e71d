"""Which adapter stands behind which port. A new use case is one line in `UseCases`."""

from collections.abc import AsyncIterator, Iterator

from dishka import AnyOf, AsyncContainer, Provider, Scope, from_context, make_async_container, provide, provide_all
from dishka.integrations.fastapi import FastapiProvider

from app.application.authentication import Authenticate
from app.application.commands.change_password import ChangePassword
from app.application.commands.create_super_admin import CreateSuperAdmin
from app.application.commands.create_user import CreateUser
from app.application.commands.grant_admin import GrantAdmin
from app.application.commands.inactivate_user import InactivateUser
from app.application.commands.log_in import LogIn
from app.application.commands.log_out import LogOut
from app.application.commands.reactivate_user import ReactivateUser
from app.application.commands.revoke_admin import RevokeAdmin
from app.application.commands.revoke_super_admin import RevokeSuperAdmin
from app.application.commands.sign_up import SignUp
from app.application.ports import (
    Clock,
    LiveSessions,
    PasswordHasher,
    Readiness,
    Sessions,
    SessionTokens,
    Transaction,
    Users,
)
from app.application.queries.get_me import AccountById, GetMe
from app.application.queries.get_user import AccountByUsername, GetUser
from app.application.queries.list_users import ListUsers, UserPages
from app.domain.password import PasswordPolicy
from app.domain.session import SessionLifetime
from app.infrastructure.clock import SystemClock
from app.infrastructure.passwords import BcryptPasswordHasher
from app.infrastructure.persistence.database import Database, opened
from app.infrastructure.persistence.migrations import SchemaReadiness, migration_config
from app.infrastructure.persistence.queries.get_me import SqlAccountById
from app.infrastructure.persistence.queries.get_user import SqlAccountByUsername
from app.infrastructure.persistence.queries.list_users import SqlUserPages
from app.infrastructure.persistence.sessions import SqlLiveSessions, SqlSessions
from app.infrastructure.persistence.transaction import SqlTransaction
from app.infrastructure.persistence.users import SqlUsers
from app.infrastructure.tokens import JwtSessionTokens
from app.presentation.http.access import identify
from app.presentation.http.cookie import SessionCookie
from app.setup.settings import PROJECT_ROOT, Settings


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
    )
    queries = provide_all(GetMe, GetUser, ListUsers)
    identity = provide(staticmethod(identify))


class Persistence(Provider):
    """Gateways of commands share the request's transaction; those of queries need only the pool."""

    scope = Scope.APP

    transaction = provide(SqlTransaction, scope=Scope.REQUEST, provides=AnyOf[SqlTransaction, Transaction])
    users = provide(SqlUsers, scope=Scope.REQUEST, provides=Users)
    sessions = provide(SqlSessions, scope=Scope.REQUEST, provides=Sessions)
    live_sessions = provide(SqlLiveSessions, provides=LiveSessions)
    account_by_id = provide(SqlAccountById, provides=AccountById)
    account_by_username = provide(SqlAccountByUsername, provides=AccountByUsername)
    user_pages = provide(SqlUserPages, provides=UserPages)

    @provide
    async def database(self, settings: Settings) -> AsyncIterator[Database]:
        async with opened(settings.postgres.url, settings.postgres.pool_size) as database:
            yield database

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
        return SessionLifetime(settings.session.idle, settings.session.absolute)

    @provide
    def cookie(self, settings: Settings) -> SessionCookie:
        return SessionCookie(settings.cookie.secure)

    @provide(provides=SessionTokens)
    def tokens(self, settings: Settings) -> JwtSessionTokens:
        return JwtSessionTokens([settings.jwt.secret])

    @provide(provides=PasswordHasher)
    def hasher(self, settings: Settings) -> Iterator[BcryptPasswordHasher]:
        with BcryptPasswordHasher(settings.password.pepper, settings.password.work_factor) as hasher:
            yield hasher


def create_container(settings: Settings, *overrides: Provider) -> AsyncContainer:
    """Later providers override earlier ones: a service built on this one, or a test, brings its own parts."""
    return make_async_container(
        UseCases(), Persistence(), Security(), FastapiProvider(), *overrides, context={Settings: settings}
    )
