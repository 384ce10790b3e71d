"""Which adapter stands behind which port of the audit trail."""

from collections.abc import AsyncIterator

from dishka import Provider, Scope, provide

from gatehouse.audit.application.events import AuditedActions, AuditPages
from gatehouse.audit.application.ports import UnfinishedErasures
from gatehouse.audit.infrastructure.audit_trail import AuditEventFactory, SqlAudit
from gatehouse.audit.infrastructure.erasures import SqlErasableTrail, SqlUnfinishedErasures
from gatehouse.audit.infrastructure.failed_attempts import FailureWriter, SqlFailedAttempts, run_failure_writer
from gatehouse.audit.infrastructure.queries.list_audit_events import SqlAuditPages
from gatehouse.common.application.metrics import Metrics
from gatehouse.common.application.ports import Audit, Clock, ErasableTrail, FailedAttempts
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.modules import Modules


class AuditProvider(Provider):
    scope = Scope.APP

    events = provide(AuditEventFactory, scope=Scope.REQUEST)
    audit = provide(SqlAudit, scope=Scope.REQUEST, provides=Audit)
    failed_attempts = provide(SqlFailedAttempts, scope=Scope.REQUEST, provides=FailedAttempts)
    trail = provide(SqlErasableTrail, scope=Scope.REQUEST, provides=ErasableTrail)
    unfinished_erasures = provide(SqlUnfinishedErasures, provides=UnfinishedErasures)
    pages = provide(SqlAuditPages, provides=AuditPages)

    @provide
    def actions(self, modules: Modules) -> AuditedActions:
        return AuditedActions(modules.audited_actions)

    @provide
    async def failure_writer(self, database: Database, clock: Clock, metrics: Metrics) -> AsyncIterator[FailureWriter]:
        async with run_failure_writer(database, clock, metrics) as writer:
            yield writer
