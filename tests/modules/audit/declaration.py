from gatehouse.audit.application.queries.list_audit_events import AuditedActions, AuditPages
from gatehouse.audit.module import AUDIT
from gatehouse.common.application.ports import Audit, FailedAttempts
from tests.in_memory_app import InMemoryApp
from tests.modules import TESTED
from tests.modules.audit.fakes import FakeAudit, FakeAuditPages, FakeFailedAttempts
from tests.modules.audit.million import MILLION_ROWS
from tests.modules.declaration import Call, ModuleTests


def _fakes(app: InMemoryApp) -> dict[object, object]:
    return {
        Audit: FakeAudit(app.transaction),
        FailedAttempts: FakeFailedAttempts(),
        AuditPages: FakeAuditPages(app.store, app.clock),
        AuditedActions: AuditedActions(TESTED.audited_actions),
    }


TESTS = ModuleTests(
    module=AUDIT,
    package="gatehouse.audit",
    calls=(
        Call(method="GET", path="/api/v1/audit/", status=200, open_to="super_admin", asks_more_than_documented=True),
    ),
    problems={},
    fakes=_fakes,
    ports={},
    tables_of_refused_calls=frozenset({"audit_events"}),
    replica_change=("UPDATE audit_events SET ip = '203.0.113.9'",),
    million_rows=MILLION_ROWS,
)
