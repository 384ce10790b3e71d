"""Every command records what it did exactly when it changed something."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from copy import deepcopy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

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
from gatehouse.accounts.application.user_file import ImportRules
from gatehouse.accounts.application.user_import import FileRow, ImportRun
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import PSEUDONYM_MARK
from gatehouse.accounts.module import ACCOUNTS
from gatehouse.common.application.use_case import action_of
from gatehouse.common.domain.audit import Subject
from gatehouse.common.domain.errors import GatehouseError
from gatehouse.testing.fakes import PASSWORD, FakeEvent
from gatehouse.testing.in_memory_app import InMemoryApp

NEW_PASSWORD = "an entirely new password"


class FullEventStore(list[FakeEvent]):
    def append(self, event: FakeEvent, /) -> None:
        raise OSError(f"no room for {event}")


class Scenario:
    """The caller is `chief`, a super admin, like `second`; `admin`, `alice` and `sleeper` (inactive) are below."""

    def __init__(self) -> None:
        self.app = InMemoryApp()
        self.chief = self.app.add_user("chief", Role.SUPER_ADMIN)
        self.app.add_user("second", Role.SUPER_ADMIN)
        self.app.add_user("admin", Role.ADMIN)
        self.alice = self.app.add_user("alice")
        self.app.add_user("sleeper", is_active=False)
        self.app.add_session(self.chief, "the chief's browser")
        self.other = self.app.add_session(self.chief, "the chief's other browser").id
        self.app.add_session(self.alice, "the user's browser")
        self.app.throttle.counts["password:alice:192.0.2.1"] = 3

    def use[Command: DataclassInstance](self, command: type[Command]) -> Command:
        return self.app.use(command, self.chief)


type Prepare = Callable[[Scenario], Callable[[], Awaitable[object]]]


@dataclass(frozen=True)
class AuditedCommand:
    event: FakeEvent
    prepare: Prepare
    is_repeatable: bool = False
    """Whether it changes something each time. The others change nothing, or are refused, the second time."""


def by_chief(action: str, target: str, prepare: Prepare) -> AuditedCommand:
    return AuditedCommand(FakeEvent(action, "chief", target), prepare)


def by_operator(action: str, target: str | None, prepare: Prepare, *, is_repeatable: bool = False) -> AuditedCommand:
    return AuditedCommand(FakeEvent(action, None, target), prepare, is_repeatable)


def by_oneself(action: str, name: str, prepare: Prepare, *, is_repeatable: bool = False) -> AuditedCommand:
    return AuditedCommand(FakeEvent(action, name, name), prepare, is_repeatable)


def enter_password() -> str:
    return PASSWORD


IMPORT = Subject("import", str(UUID(int=7)), "1 added, 0 there already, 0 refused")
IMPORT_RUN = ImportRun(id=UUID(int=7), rules=ImportRules(), refuse=lambda *_: None)


async def file_rows() -> AsyncIterator[Sequence[FileRow]]:
    yield [FileRow(1, {"username": "newcomer"})]


CASES = [
    by_oneself("sign_up", "newcomer", lambda s: partial(s.use(SignUp), "Newcomer", PASSWORD)),
    by_oneself("log_in", "alice", lambda s: partial(s.use(LogIn), "ALICE", PASSWORD), is_repeatable=True),
    by_chief("log_out", "chief", lambda s: s.use(LogOut)),
    by_chief("create_user", "newcomer", lambda s: partial(s.use(CreateUser), "Newcomer", PASSWORD, Role.ADMIN)),
    by_chief("inactivate_user", "alice", lambda s: partial(s.use(InactivateUser), "Alice")),
    by_chief("reactivate_user", "sleeper", lambda s: partial(s.use(ReactivateUser), "Sleeper")),
    by_chief("grant_admin", "alice", lambda s: partial(s.use(GrantAdmin), "Alice")),
    by_chief("revoke_admin", "admin", lambda s: partial(s.use(RevokeAdmin), "Admin")),
    by_chief("change_password", "chief", lambda s: partial(s.use(ChangePassword), "Chief", NEW_PASSWORD, PASSWORD)),
    by_chief("end_session", "chief", lambda s: partial(s.use(EndSession), s.other)),
    by_chief("end_other_sessions", "chief", lambda s: s.use(EndOtherSessions)),
    by_chief("end_user_sessions", "alice", lambda s: partial(s.use(EndUserSessions), "Alice")),
    by_operator(
        "create_super_admin", "newcomer", lambda s: partial(s.use(CreateSuperAdmin), "Newcomer", enter_password)
    ),
    AuditedCommand(
        FakeEvent("import_users", None, None, subject=IMPORT),
        lambda s: lambda: s.use(ImportUsers)(IMPORT_RUN, file_rows()),
    ),
    by_operator("raise_to_super_admin", "admin", lambda s: partial(s.use(RaiseToSuperAdmin), "Admin")),
    by_chief("erase_user", PSEUDONYM_MARK, lambda s: partial(s.use(EraseUser), "Alice")),
    by_operator(
        "set_password", "second", lambda s: partial(s.use(SetPassword), "Second", enter_password), is_repeatable=True
    ),
    by_operator("end_sessions_by_hand", "chief", lambda s: partial(s.use(EndSessionsByHand), "Chief")),
    by_operator("end_all_sessions", None, lambda s: s.use(EndAllSessions), is_repeatable=True),
    by_operator("unthrottle", "alice", lambda s: partial(s.use(Unthrottle), "Alice")),
    by_operator("revoke_super_admin", "second", lambda s: partial(s.use(RevokeSuperAdmin), "Second")),
]


@pytest.mark.promise("G1", "Z10")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.event.action} {case.event.target}")
async def test_a_command_is_recorded_exactly_when_it_changed_something(case: AuditedCommand) -> None:
    scenario = Scenario()
    store, perform = scenario.app.store, case.prepare(scenario)
    expected = case.event
    if expected.target == PSEUDONYM_MARK:
        expected = replace(expected, target=scenario.alice.pseudonym)

    await perform()

    assert store.events == [expected]

    before = deepcopy(store)
    scenario.app.clock.advance(timedelta(hours=1))
    with suppress(GatehouseError):
        await perform()

    if case.is_repeatable:
        assert store.events == [case.event, case.event]
    else:
        assert store == before


@pytest.mark.promise("G2")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.event.action} {case.event.target}")
async def test_a_command_whose_record_cannot_be_made_changes_nothing(case: AuditedCommand) -> None:
    scenario = Scenario()
    store, before = scenario.app.store, deepcopy(scenario.app.store)
    store.events = FullEventStore()

    with pytest.raises(OSError, match="no room"):
        await case.prepare(scenario)()

    assert (store.users, store.sessions) == (before.users, before.sessions)


def test_every_audited_action_has_a_case() -> None:
    audited = {action_of(kind) for kind in ACCOUNTS.commands if hasattr(kind, "action")}

    assert {case.event.action for case in CASES} == audited
