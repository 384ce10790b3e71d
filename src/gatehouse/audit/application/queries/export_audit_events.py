from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from gatehouse.accounts import IdentifyAgain, Identity, Role, ensure_at_least
from gatehouse.audit.application.events import (
    AuditedActions,
    AuditEvent,
    AuditFilters,
    AuditPage,
    AuditPages,
    AuditRequest,
)
from gatehouse.common.application.use_case import query

_BATCH: Final = 250


@query
class ExportAuditEvents:
    """Super admins download all events that the filters find, newest first, an event a line.

    The answer is complete only if its last chunk is the empty one that ends it: it is cut off when the session ends or
    the caller is no super admin any more, when the database fails, and when the server stops.
    """

    identity: Identity
    identify_again: IdentifyAgain
    pages: AuditPages
    actions: AuditedActions

    async def __call__(self, filters: AuditFilters) -> AsyncIterator[list[AuditEvent]]:
        """Batches, each a short statement of its own, made when it is asked for. The first is there already: whatever
        is wrong with the request is told before the answer has begun.
        """
        ensure_at_least(self.identity.role, Role.SUPER_ADMIN)
        request = AuditRequest(limit=_BATCH, **vars(filters)).as_stored(self.actions)
        return self._batches(request, await self.pages(request))

    async def _batches(self, request: AuditRequest, page: AuditPage) -> AsyncIterator[list[AuditEvent]]:
        yield page.events
        while page.next_cursor is not None:
            caller = await self.identify_again()
            caller.ensure_password_is_own()
            ensure_at_least(caller.role, Role.SUPER_ADMIN)
            page = await self.pages(replace(request, cursor=page.next_cursor))
            yield page.events
