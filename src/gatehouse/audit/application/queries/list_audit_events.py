from gatehouse.accounts import Identity, Role, ensure_at_least
from gatehouse.audit.application.events import AuditedActions, AuditPage, AuditPages, AuditRequest
from gatehouse.common.application.use_case import query


@query
class ListAuditEvents:
    """Super admins read what happened, newest first."""

    identity: Identity
    pages: AuditPages
    actions: AuditedActions

    async def __call__(self, request: AuditRequest) -> AuditPage:
        ensure_at_least(self.identity.role, Role.SUPER_ADMIN)
        return await self.pages(request.as_stored(self.actions))
