"""What the audit trail brings."""

from typing import Any, Final

from sqlalchemy import Connection

from gatehouse.audit.application.commands.finish_erasures import FinishErasures
from gatehouse.audit.application.queries.export_audit_events import ExportAuditEvents
from gatehouse.audit.application.queries.list_audit_events import ListAuditEvents
from gatehouse.audit.infrastructure.failed_attempts import NOT_STORED
from gatehouse.audit.infrastructure.partitions import keep_partitions
from gatehouse.audit.infrastructure.status import STATUS
from gatehouse.audit.infrastructure.tables import audit_events, erasures
from gatehouse.audit.presentation.background import run_erasures
from gatehouse.audit.presentation.http import audit
from gatehouse.audit.presentation.http.openapi import document_events
from gatehouse.audit.providers import AuditProvider
from gatehouse.audit.settings import AuditSettings
from gatehouse.common.infrastructure.migration_lines import Report
from gatehouse.common.modules import Module, Modules
from gatehouse.common.settings import Settings


def _complete_openapi(document: dict[str, Any], _: Settings, modules: Modules) -> None:
    document_events(document, modules.audited_actions)


def _keep_up(settings: Settings, connection: Connection, report: Report) -> None:
    keep_partitions(connection, report, keep_months=settings[AuditSettings].keep_months)


AUDIT: Final = Module(
    name="audit",
    commands=(FinishErasures,),
    queries=(ListAuditEvents, ExportAuditEvents),
    providers=(AuditProvider(),),
    routers=(audit.router,),
    background=(run_erasures,),
    metrics=(NOT_STORED,),
    tables={audit_events: "SELECT, INSERT", erasures: "SELECT, INSERT, UPDATE, DELETE"},
    status=STATUS,
    functions=("erase_from_audit_events",),
    upkeep=_keep_up,
    settings={"audit": AuditSettings},
    complete_openapi=_complete_openapi,
)
