"""What accounts bring. A new command is its file, a route, and a line in `commands`."""

from typing import Any, Final

from gatehouse.accounts.application.commands.change_password import ChangePassword
from gatehouse.accounts.application.commands.create_super_admin import CreateSuperAdmin
from gatehouse.accounts.application.commands.create_user import CreateUser
from gatehouse.accounts.application.commands.end_all_sessions import EndAllSessions
from gatehouse.accounts.application.commands.end_other_sessions import EndOtherSessions
from gatehouse.accounts.application.commands.end_session import EndSession
from gatehouse.accounts.application.commands.end_sessions_by_hand import EndSessionsByHand
from gatehouse.accounts.application.commands.end_user_sessions import EndUserSessions
from gatehouse.accounts.application.commands.erase_user import EraseUser
from gatehouse.accounts.application.commands.grant_admin import GrantAdmin
from gatehouse.accounts.application.commands.import_users import ImportUsers
from gatehouse.accounts.application.commands.inactivate_user import InactivateUser
from gatehouse.accounts.application.commands.log_in import LogIn
from gatehouse.accounts.application.commands.log_out import LogOut
from gatehouse.accounts.application.commands.purge_sessions import PurgeSessions
from gatehouse.accounts.application.commands.raise_to_super_admin import RaiseToSuperAdmin
from gatehouse.accounts.application.commands.reactivate_user import ReactivateUser
from gatehouse.accounts.application.commands.revoke_admin import RevokeAdmin
from gatehouse.accounts.application.commands.revoke_super_admin import RevokeSuperAdmin
from gatehouse.accounts.application.commands.set_password import SetPassword
from gatehouse.accounts.application.commands.sign_up import SignUp
from gatehouse.accounts.application.commands.unthrottle import Unthrottle
from gatehouse.accounts.application.queries.export_users import ExportUsers
from gatehouse.accounts.application.queries.get_me import GetMe
from gatehouse.accounts.application.queries.get_user import GetUser
from gatehouse.accounts.application.queries.list_sessions import ListSessions
from gatehouse.accounts.application.queries.list_user_sessions import ListUserSessions
from gatehouse.accounts.application.queries.list_users import ListUsers
from gatehouse.accounts.domain.errors import UsernameTakenError
from gatehouse.accounts.infrastructure.breached_passwords import BreachedFileError, BreachedPasswords
from gatehouse.accounts.infrastructure.passwords import HASHING_METRICS
from gatehouse.accounts.infrastructure.status import STATUS
from gatehouse.accounts.infrastructure.tables import attempts, erased_names, sessions, users
from gatehouse.accounts.infrastructure.throttle import REFUSALS
from gatehouse.accounts.presentation.background import PURGED, run_purge
from gatehouse.accounts.presentation.cli import by_hand, export_users, import_users, purge_sessions, super_admins
from gatehouse.accounts.presentation.http import account as account_routes
from gatehouse.accounts.presentation.http import users as user_routes
from gatehouse.accounts.presentation.http.cookie import SessionCookie
from gatehouse.accounts.presentation.http.openapi import document_cookie
from gatehouse.accounts.providers import GatewayProvider, SecurityProvider
from gatehouse.accounts.settings import JwtSettings, PasswordSettings, SessionSettings, ThrottleSettings, ensure_safe
from gatehouse.common.modules import Module, Modules
from gatehouse.common.presentation.http.settings import FeatureSettings
from gatehouse.common.settings import ConfigError, Settings


def _complete_openapi(document: dict[str, Any], settings: Settings, _: Modules) -> None:
    document_cookie(document, SessionCookie(settings.has_secure_cookies))


def _ensure_safe(settings: Settings) -> None:
    ensure_safe(settings)
    if breached := settings[PasswordSettings].breached:
        try:
            BreachedPasswords(settings.folder / breached).close()
        except BreachedFileError as error:
            raise ConfigError(f"password.breached: {error}") from None


ACCOUNTS: Final = Module(
    name="accounts",
    commands=(
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
        RaiseToSuperAdmin,
        RevokeSuperAdmin,
        EndSession,
        EndOtherSessions,
        EndUserSessions,
        EraseUser,
        SetPassword,
        EndSessionsByHand,
        EndAllSessions,
        Unthrottle,
        PurgeSessions,
        ImportUsers,
    ),
    queries=(GetMe, GetUser, ListUsers, ListSessions, ListUserSessions, ExportUsers),
    providers=(GatewayProvider(), SecurityProvider()),
    routers=(user_routes.router, account_routes.router),
    switched_off=lambda settings: () if settings[FeatureSettings].sign_up else (SignUp,),
    cli=(
        super_admins.register,
        by_hand.register,
        purge_sessions.register,
        export_users.register,
        import_users.register,
    ),
    background=(run_purge,),
    tables={
        users: "SELECT, INSERT, UPDATE",
        sessions: "SELECT, INSERT, UPDATE, DELETE",
        attempts: "SELECT, INSERT, UPDATE, DELETE",
        erased_names: "SELECT, INSERT",
    },
    status=STATUS,
    constraints={"uq_users_username": UsernameTakenError},
    metrics=(*HASHING_METRICS, REFUSALS, PURGED),
    settings={
        "session": SessionSettings,
        "jwt": JwtSettings,
        "password": PasswordSettings,
        "throttle": ThrottleSettings,
    },
    ensure_safe=_ensure_safe,
    complete_openapi=_complete_openapi,
)
