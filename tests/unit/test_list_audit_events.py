import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.audit.application.events import AuditRequest
from gatehouse.audit.application.queries.list_audit_events import ListAuditEvents
from gatehouse.common.domain.errors import ForbiddenError, InvalidError
from gatehouse.testing.fakes import FakeEvent
from gatehouse.testing.in_memory_app import InMemoryApp

EVENTS = [
    FakeEvent("sign_up", "alice", "alice"),
    FakeEvent("inactivate_user", "admin", "alice"),
    FakeEvent("inactivate_user", "admin", "other"),
    FakeEvent("create_super_admin", None, "chief"),
]


def create_app() -> InMemoryApp:
    app = InMemoryApp()
    app.store.events = list(EVENTS)
    return app


@pytest.mark.promise("G1")
async def test_super_admins_read_what_happened_newest_first() -> None:
    app = create_app()

    page = await app.use(ListAuditEvents, app.add_user("chief", Role.SUPER_ADMIN))(AuditRequest())

    assert [FakeEvent(event.action, event.actor, event.target) for event in page.events] == EVENTS[::-1]


@pytest.mark.parametrize(
    ("audit_request", "targets"),
    [
        (AuditRequest(actor="Admin"), ["other", "alice"]),
        (AuditRequest(target="ALICE"), ["alice", "alice"]),
        (AuditRequest(actor="ADMIN", target="Alice"), ["alice"]),
        (AuditRequest(action="inactivate_user"), ["other", "alice"]),
        (AuditRequest(actor="nobody"), []),
    ],
)
async def test_usernames_are_looked_for_in_their_stored_form(audit_request: AuditRequest, targets: list[str]) -> None:
    app = create_app()

    page = await app.use(ListAuditEvents, app.add_user("chief", Role.SUPER_ADMIN))(audit_request)

    assert [event.target for event in page.events] == targets


@pytest.mark.parametrize("username", ["", "four", "not a name", "\u212aelvin", "hunter2!"])
@pytest.mark.parametrize("field", ["actor", "target"])
async def test_what_is_no_username_is_refused_by_the_name_of_its_field(field: str, username: str) -> None:
    app = create_app()
    audit_request = AuditRequest(actor=username) if field == "actor" else AuditRequest(target=username)

    with pytest.raises(InvalidError) as refusal:
        await app.use(ListAuditEvents, app.add_user("chief", Role.SUPER_ADMIN))(audit_request)

    assert refusal.value.field == field
    assert not username or username not in refusal.value.message.split()


@pytest.mark.parametrize("role", [Role.USER, Role.ADMIN])
@pytest.mark.parametrize("actor", [None, "not a name"])
async def test_nobody_else_reads_it(role: Role, actor: str | None) -> None:
    app = create_app()

    with pytest.raises(ForbiddenError):
        await app.use(ListAuditEvents, app.add_user("admin", role))(AuditRequest(actor=actor))


@pytest.mark.parametrize("request_", [AuditRequest(action="no_such_action"), AuditRequest(subject="a\0b")])
async def test_an_action_that_nothing_records_and_an_impossible_subject_are_refused(request_: AuditRequest) -> None:
    app = create_app()

    with pytest.raises(InvalidError) as refusal:
        await app.use(ListAuditEvents, app.add_user("chief", Role.SUPER_ADMIN))(request_)

    assert refusal.value.field in ("action", "subject")
