"""Whoever tries what the role does not allow is recorded, whichever use case it was and whoever calls it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import pytest

from gatehouse.accounts.application.commands.change_password import ChangePassword
from gatehouse.accounts.application.commands.create_user import CreateUser
from gatehouse.accounts.application.commands.end_user_sessions import EndUserSessions
from gatehouse.accounts.application.commands.erase_user import EraseUser
from gatehouse.accounts.application.commands.grant_admin import GrantAdmin
from gatehouse.accounts.application.commands.inactivate_user import InactivateUser
from gatehouse.accounts.application.commands.reactivate_user import ReactivateUser
from gatehouse.accounts.application.commands.revoke_admin import RevokeAdmin
from gatehouse.accounts.application.queries.get_user import GetUser
from gatehouse.accounts.application.queries.list_user_sessions import ListUserSessions
from gatehouse.accounts.application.queries.list_users import ListUsers, UserListRequest
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.audit.application.events import AuditFilters, AuditRequest
from gatehouse.audit.application.queries.export_audit_events import ExportAuditEvents
from gatehouse.audit.application.queries.list_audit_events import ListAuditEvents
from gatehouse.common.application.use_case import action_of, has_caller
from gatehouse.common.domain.audit import Outcome
from gatehouse.common.domain.errors import (
    ForbiddenError,
    GatehouseError,
    InvalidError,
    NotFoundError,
    PasswordChangeRequiredError,
    UnauthenticatedError,
)
from gatehouse.testing.fakes import PASSWORD, FakeEvent, make_user
from gatehouse.testing.in_memory_app import InMemoryApp
from gatehouse.testing.under_test import modules_under_test
from tests.sample.application.commands.award_badge import AwardBadge
from tests.sample.application.commands.withdraw_badge import WithdrawBadge

pytestmark = pytest.mark.promise("G4")

type Call = Callable[[InMemoryApp, User], Awaitable[object]]


@dataclass(frozen=True)
class RefusedAct:
    action: str
    target: str | None
    call: Call


REFUSED_ACTS: Final = [
    RefusedAct("create_user", "newcomer", lambda app, me: app.use(CreateUser, me)("Newcomer", PASSWORD, Role.USER)),
    RefusedAct("inactivate_user", "chief", lambda app, me: app.use(InactivateUser, me)("Chief")),
    RefusedAct("reactivate_user", "chief", lambda app, me: app.use(ReactivateUser, me)("Chief")),
    RefusedAct("grant_admin", "mallory", lambda app, me: app.use(GrantAdmin, me)("mallory")),
    RefusedAct("revoke_admin", "chief", lambda app, me: app.use(RevokeAdmin, me)("chief")),
    RefusedAct("erase_user", "chief", lambda app, me: app.use(EraseUser, me)("Chief")),
    RefusedAct("end_user_sessions", "chief", lambda app, me: app.use(EndUserSessions, me)("chief")),
    RefusedAct("change_password", "chief", lambda app, me: app.use(ChangePassword, me)("chief", PASSWORD, None)),
    RefusedAct("get_user", "chief", lambda app, me: app.use(GetUser, me)("chief")),
    RefusedAct("list_users", None, lambda app, me: app.use(ListUsers, me)(UserListRequest())),
    RefusedAct("list_user_sessions", "chief", lambda app, me: app.use(ListUserSessions, me)(username="Chief")),
    RefusedAct("list_audit_events", None, lambda app, me: app.use(ListAuditEvents, me)(AuditRequest())),
    RefusedAct("export_audit_events", None, lambda app, me: app.use(ExportAuditEvents, me)(AuditFilters())),
    RefusedAct("award_badge", "chief", lambda app, me: app.use(AwardBadge, me)("chief", "gold")),
    RefusedAct("withdraw_badge", None, lambda app, me: app.use(WithdrawBadge, me)(uuid4())),
]
OPEN_TO_EVERY_CALLER: Final = {"log_out", "end_session", "end_other_sessions", "get_me", "list_sessions"}


@pytest.mark.parametrize("act", REFUSED_ACTS, ids=lambda act: act.action)
async def test_a_refused_act_is_recorded_with_who_tried_it_on_whom(act: RefusedAct) -> None:
    app = InMemoryApp()
    app.add_user("chief", Role.SUPER_ADMIN)

    with pytest.raises(ForbiddenError):
        await act.call(app, app.add_user("mallory"))

    assert app.failed_attempts.events == [FakeEvent(act.action, "mallory", act.target, Outcome.REFUSED)]
    assert app.store.events == []


def test_every_use_case_that_may_refuse_its_caller_has_a_case() -> None:
    called_by_someone = {action_of(kind) for kind in modules_under_test().use_cases if has_caller(kind)}

    assert {act.action for act in REFUSED_ACTS} | OPEN_TO_EVERY_CALLER == called_by_someone


async def test_a_target_that_is_no_username_is_not_recorded() -> None:
    app = InMemoryApp()

    with pytest.raises(ForbiddenError):
        await app.use(GetUser, app.add_user("mallory"))("\u202e" * 10_000)

    assert app.failed_attempts.events == [FakeEvent("get_user", "mallory", None, Outcome.REFUSED)]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda app, me: app.use(InactivateUser, me)("nobody"), NotFoundError),
        (lambda app, me: app.use(InactivateUser, me)("no name at all"), InvalidError),
        (lambda app, _: app.use(InactivateUser, make_user("removed", Role.ADMIN))("alice"), UnauthenticatedError),
    ],
)
async def test_what_fails_for_another_reason_is_no_refusal(call: Call, error: type[GatehouseError]) -> None:
    app = InMemoryApp()

    with pytest.raises(error):
        await call(app, app.add_user("admin", Role.ADMIN))

    assert app.failed_attempts.events == []


async def test_having_to_change_one_s_password_first_is_no_refusal() -> None:
    app = InMemoryApp()
    admin = app.add_user("admin", Role.ADMIN)
    app.add_user("alice")
    admin.must_change_password = True

    with pytest.raises(PasswordChangeRequiredError):
        await app.use(ChangePassword, admin)("alice", PASSWORD, None)

    assert app.failed_attempts.events == []
