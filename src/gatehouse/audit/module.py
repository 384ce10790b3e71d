"""What the audit trail brings."""

from typing import Any, Final

from gatehouse.audit.application.queries.list_audit_events import ListAuditEvents
from gatehouse.audit.infrastructure.failed_attempts import NOT_STORED
from gatehouse.audit.infrastructure.tables import audit_events
from gatehouse.audit.presentation.http import audit
from gatehouse.audit.presentation.http.openapi import document_events
from gatehouse.audit.providers import AuditProvider
from gatehouse.common.modules import Module, Modules
from gatehouse.common.settings import Settings


def _complete_openapi(document: dict[str, Any], _: Settings, modules: Modules) -> None:
    document_events(document, modules.audited_actions)


AUDIT: Final = Module(
    name="audit",
    queries=(ListAuditEvents,),
    providers=(AuditProvider(),),
    routers=(audit.router,),
    metrics=(NOT_STORED,),
    tables={audit_events: "SELECT, INSERT"},
    complete_openapi=_complete_openapi,
)
