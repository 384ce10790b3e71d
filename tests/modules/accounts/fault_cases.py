"""One call of each command of accounts, and of each way through it that writes."""

from collections.abc import AsyncIterator, Sequence
from typing import Final
from uuid import UUID

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
from gatehouse.accounts.application.commands.raise_to_super_admin import RaiseToSuperAdmin
from gatehouse.accounts.application.commands.reactivate_user import ReactivateUser
from gatehouse.accounts.application.commands.revoke_admin import RevokeAdmin
from gatehouse.accounts.application.commands.revoke_super_admin import RevokeSuperAdmin
from gatehouse.accounts.application.commands.set_password import SetPassword
from gatehouse.accounts.application.commands.sign_up import SignUp
from gatehouse.accounts.application.commands.unthrottle import Unthrottle
from gatehouse.accounts.application.ports import Attempt, Throttle
from gatehouse.accounts.application.user_file import ImportRules
from gatehouse.accounts.application.user_import import FileRow, ImportRun
from gatehouse.accounts.domain.role import Role
from gatehouse.testing.declaration import FaultCase, Fixtures
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.harness import Harness

RUN: Final = ImportRun(id=UUID(int=7), rules=ImportRules(), refuse=lambda *_: None)
NEW_PASSWORD: Final = "another horse battery staple"


def _ask_password() -> str:
    return PASSWORD


async def _count_attempts_of_alice(harness: Harness, _: Fixtures) -> None:
    throttle = await harness.container.get(Throttle)
    await throttle.count(Attempt("password:alice:192.0.2.1", 5), Attempt("password:192.0.2.1", 50))


async def _rows() -> AsyncIterator[Sequence[FileRow]]:
    yield [FileRow(1, {"username": "erica"}), FileRow(2, {"username": "alice"})]


FAULT_CASES: Final = (
    FaultCase(command=SignUp, arguments=lambda _: ("erica", PASSWORD)),
    FaultCase(command=LogIn, arguments=lambda _: ("alice", PASSWORD)),
    FaultCase(command=LogIn, arguments=lambda _: ("outdated", PASSWORD), name="LogIn with an outdated hash"),
    FaultCase(command=LogOut, caller="alice", arguments=lambda _: ()),
    FaultCase(command=CreateUser, caller="admin", arguments=lambda _: ("erica", PASSWORD, Role.USER)),
    FaultCase(command=InactivateUser, caller="admin", arguments=lambda _: ("alice",)),
    FaultCase(command=ReactivateUser, caller="admin", arguments=lambda _: ("inactive",)),
    FaultCase(command=GrantAdmin, caller="chief", arguments=lambda _: ("alice",)),
    FaultCase(command=RevokeAdmin, caller="chief", arguments=lambda _: ("admin",)),
    FaultCase(
        command=ChangePassword,
        caller="alice",
        arguments=lambda _: ("alice", NEW_PASSWORD, PASSWORD),
        name="ChangePassword of one's own",
    ),
    FaultCase(
        command=ChangePassword,
        caller="admin",
        arguments=lambda _: ("alice", NEW_PASSWORD, None),
        name="ChangePassword of another",
    ),
    FaultCase(command=EndSession, caller="alice", arguments=lambda fixtures: (fixtures.sessions["alice"][0].id,)),
    FaultCase(command=EndOtherSessions, caller="alice", arguments=lambda _: ()),
    FaultCase(command=EndUserSessions, caller="admin", arguments=lambda _: ("alice",)),
    FaultCase(command=CreateSuperAdmin, arguments=lambda _: ("erica", _ask_password)),
    FaultCase(command=RaiseToSuperAdmin, arguments=lambda _: ("alice",)),
    FaultCase(command=EraseUser, caller="chief", arguments=lambda _: ("alice",), seed=_count_attempts_of_alice),
    FaultCase(command=SetPassword, arguments=lambda _: ("other", _ask_password)),
    FaultCase(command=EndSessionsByHand, arguments=lambda _: ("chief",)),
    FaultCase(command=EndAllSessions, arguments=lambda _: ()),
    FaultCase(command=Unthrottle, arguments=lambda _: ("alice",), seed=_count_attempts_of_alice),
    FaultCase(command=ImportUsers, arguments=lambda _: (RUN, _rows())),
    FaultCase(command=RevokeSuperAdmin, arguments=lambda _: ("other",)),
)
