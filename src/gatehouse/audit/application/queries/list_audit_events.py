from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, NewType, Protocol
from uuid import UUID

from annotated_types import MaxLen

from gatehouse.accounts import USERNAME_RULE, Identity, Role, Username, ensure_at_least, is_pseudonym
from gatehouse.common.application.paging import PageRequest
from gatehouse.common.application.use_case import query
from gatehouse.common.domain.audit import Subject
from gatehouse.common.domain.errors import InvalidError

AuditedActions = NewType("AuditedActions", frozenset[str])
"""What the modules of this service record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRequest(PageRequest):
    """Which events. `since` is inclusive, `until` exclusive, and both carry an offset; `subject` is an id."""

    actor: str | None = None
    target: str | None = None
    subject: Annotated[str | None, MaxLen(100)] = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """As it was stored: an action may be one of a version or a module that is no longer there."""

    id: UUID
    at: datetime
    action: str
    outcome: str
    actor: str | None
    target: str | None
    subject: Subject | None
    ip: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class AuditPage:
    events: list[AuditEvent]
    next_cursor: str | None


class AuditPages(Protocol):
    async def __call__(self, request: AuditRequest) -> AuditPage: ...


@query
class ListAuditEvents:
    """Super admins read what happened, newest first."""

    identity: Identity
    pages: AuditPages
    actions: AuditedActions

    async def __call__(self, request: AuditRequest) -> AuditPage:
        ensure_at_least(self.identity.role, Role.SUPER_ADMIN)
        if request.action is not None and request.action not in self.actions:
            raise InvalidError("action", "Must be an action that this service records.")
        if not (request.subject or "").isprintable():
            raise InvalidError("subject", "Must be the id of a subject.")
        actor, target = _stored_form("actor", request.actor), _stored_form("target", request.target)
        return await self.pages(replace(request, actor=actor, target=target))


def _stored_form(field: str, username: str | None) -> str | None:
    if username is None or is_pseudonym(username):
        return username
    name = Username.parse(username)
    if name is None:
        raise InvalidError(field, f"Must be {USERNAME_RULE}.")
    return name.value
