from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Protocol
from uuid import UUID

from annotated_types import Interval, MaxLen

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.username import RULE, Username
from gatehouse.common.domain.audit import Action, Outcome
from gatehouse.common.domain.errors import InvalidError


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """Which events. Times are inclusive at `since`, exclusive at `until`, and carry an offset."""

    limit: Annotated[int, Interval(ge=1, le=100)] = 20
    actor: str | None = None
    target: str | None = None
    action: Action | None = None
    since: datetime | None = None
    until: datetime | None = None
    cursor: Annotated[str | None, MaxLen(500)] = None


@dataclass(frozen=True, slots=True)
class AuditEvent:
    id: UUID
    at: datetime
    action: Action
    outcome: Outcome
    actor: str | None
    target: str | None
    ip: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class AuditPage:
    events: list[AuditEvent]
    next_cursor: str | None


class AuditPages(Protocol):
    async def __call__(self, request: AuditRequest) -> AuditPage: ...


@dataclass(frozen=True, slots=True)
class ListAuditEvents:
    """Super admins read what happened, newest first."""

    identity: Identity
    pages: AuditPages

    async def __call__(self, request: AuditRequest) -> AuditPage:
        self.identity.ensure_at_least(Role.SUPER_ADMIN)
        actor, target = _stored_form("actor", request.actor), _stored_form("target", request.target)
        return await self.pages(replace(request, actor=actor, target=target))


def _stored_form(field: str, username: str | None) -> str | None:
    if username is None:
        return None
    name = Username.parse(username)
    if name is None:
        raise InvalidError(field, f"Must be {RULE}.")
    return name.value
