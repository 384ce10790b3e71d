from dataclasses import replace

import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.audit.application.events import AuditEvent, AuditFilters, AuditPage, AuditPages, AuditRequest
from gatehouse.audit.application.queries.export_audit_events import ExportAuditEvents
from gatehouse.common.domain.errors import (
    ForbiddenError,
    InvalidError,
    PasswordChangeRequiredError,
    UnauthenticatedError,
)
from gatehouse.testing.fakes import FakeEvent
from gatehouse.testing.in_memory_app import InMemoryApp

EVENTS = [
    FakeEvent("sign_up", "alice", "alice"),
    FakeEvent("inactivate_user", "admin", "alice"),
    FakeEvent("inactivate_user", "admin", "other"),
]


class OneEventAPage:
    """Of the fake's pages, so that a short trail has several."""

    def __init__(self, pages: AuditPages) -> None:
        self._pages = pages
        self.asked: list[str | None] = []

    async def __call__(self, request: AuditRequest) -> AuditPage:
        self.asked.append(request.cursor)
        events = (await self._pages(request)).events
        place = int(request.cursor or 0)
        is_last = place + 1 >= len(events)
        return AuditPage(events[place : place + 1], None if is_last else str(place + 1))


class Export:
    """By a super admin, from three events on as many pages."""

    def __init__(self) -> None:
        self.app = InMemoryApp()
        self.app.store.events = list(EVENTS)
        self.chief = self.app.add_user("chief", Role.SUPER_ADMIN)
        use_case = self.app.use(ExportAuditEvents, self.chief)
        self.pages = OneEventAPage(use_case.pages)
        self.use_case = replace(use_case, pages=self.pages)


def brief(events: list[AuditEvent]) -> list[FakeEvent]:
    return [FakeEvent(event.action, event.actor, event.target) for event in events]


@pytest.mark.promise("G1")
async def test_super_admins_get_every_event_newest_first() -> None:
    batches = await Export().use_case(AuditFilters())

    assert [event async for events in batches for event in brief(events)] == EVENTS[::-1]


async def test_filters_are_those_of_the_list() -> None:
    batches = await Export().use_case(AuditFilters(actor="Admin", target="ALICE"))

    assert [event async for events in batches for event in brief(events)] == [EVENTS[1]]


async def test_a_batch_is_read_when_it_is_asked_for() -> None:
    export = Export()

    batches = await export.use_case(AuditFilters())
    assert export.pages.asked == [None]

    assert brief(await anext(batches)) == [EVENTS[2]]
    assert export.pages.asked == [None]

    assert brief(await anext(batches)) == [EVENTS[1]]
    assert export.pages.asked == [None, "1"]


@pytest.mark.parametrize("role", [Role.USER, Role.ADMIN])
async def test_nobody_else_begins_one(role: Role) -> None:
    app = InMemoryApp()

    with pytest.raises(ForbiddenError):
        await app.use(ExportAuditEvents, app.add_user("admin", role))(AuditFilters(actor="not a name"))


async def test_what_no_event_can_have_is_refused_before_the_answer_begins() -> None:
    with pytest.raises(InvalidError):
        await Export().use_case(AuditFilters(action="no_such_action"))


@pytest.mark.promise("S10")
async def test_who_is_no_super_admin_any_more_gets_no_further_batch() -> None:
    export = Export()
    batches = await export.use_case(AuditFilters())
    await anext(batches)

    export.app.store.users[export.chief.id].role = Role.ADMIN

    with pytest.raises(ForbiddenError):
        await anext(batches)
    assert export.pages.asked == [None]


@pytest.mark.promise("S8")
async def test_whose_session_has_ended_gets_no_further_batch() -> None:
    export = Export()
    batches = await export.use_case(AuditFilters())
    await anext(batches)

    export.app.store.sessions.clear()

    with pytest.raises(UnauthenticatedError):
        await anext(batches)


@pytest.mark.promise("P11")
async def test_who_must_change_the_password_first_gets_no_further_batch() -> None:
    export = Export()
    batches = await export.use_case(AuditFilters())
    await anext(batches)

    export.app.store.users[export.chief.id].must_change_password = True

    with pytest.raises(PasswordChangeRequiredError):
        await anext(batches)
