"""What the audit trail brings."""

from typing import Any, Final

from gatehouse.audit.application.commands.finish_erasures import FinishErasures
from gatehouse.audit.application.queries.list_audit_events import ListAuditEvents
from gatehouse.audit.infrastructure.failed_attempts import NOT_STORED
from gatehouse.audit.infrastructure.status import STATUS
from gatehouse.audit.infrastructure.tables import audit_events, erasures
from gatehouse.audit.presentation.background import run_erasures
from gatehouse.audit.presentation.http import audit
from gatehouse.audit.presentation.http.openapi import document_events
from gatehouse.audit.providers import AuditProvider
from gatehouse.common.modules import Module, Modules
from gatehouse.common.settings import Settings


def _complete_openapi(document: dict[str, Any], _: Settings, modules: Modules) -> None:
    document_events(document, modules.audited_actions)


AUDIT: Final = Module(
    name="audit",
    commands=(FinishErasures,),
    queries=(ListAuditEvents,),
    providers=(AuditProvider(),),
    routers=(audit.router,),
    background=(run_erasures,),
    metrics=(NOT_STORED,),
    tables={audit_events: "SELECT, INSERT", erasures: "SELECT, INSERT, UPDATE, DELETE"},
    status=STATUS,
    functions=("erase_from_audit_events",),
    complete_openapi=_complete_openapi,
)
