"""What the tests of every module need to know of the audit trail."""

from collections.abc import Mapping
from typing import Final

from gatehouse.audit.application.events import AuditedActions, AuditPages
from gatehouse.audit.application.ports import UnfinishedErasures
from gatehouse.audit.module import AUDIT
from gatehouse.common.application.ports import Audit, ErasableTrail, FailedAttempts
from gatehouse.testing.audit.fakes import (
    FakeAudit,
    FakeAuditPages,
    FakeErasableTrail,
    FakeFailedAttempts,
    FakeUnfinishedErasures,
)
from gatehouse.testing.declaration import ModuleTests
from gatehouse.testing.fakes import Memory


def _fakes(memory: Memory) -> Mapping[object, object]:
    return {
        Audit: FakeAudit(memory.transaction),
        ErasableTrail: FakeErasableTrail(memory.transaction),
        UnfinishedErasures: FakeUnfinishedErasures(),
        FailedAttempts: FakeFailedAttempts(),
        AuditPages: FakeAuditPages(memory.store, memory.clock),
        AuditedActions: AuditedActions(memory.modules.audited_actions),
    }


AUDIT_TESTS: Final = ModuleTests(
    module=AUDIT,
    package="gatehouse.audit",
    fakes=_fakes,
    tables_of_refused_calls=frozenset({"audit_events"}),
)
