"""Events as the queries of the audit trail ask for them and give them back."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, NewType, Protocol, Self
from uuid import UUID

from annotated_types import MaxLen

from gatehouse.accounts import USERNAME_RULE, Username, is_pseudonym
from gatehouse.common.application.paging import PageRequest
from gatehouse.common.domain.audit import Outcome, Subject
from gatehouse.common.domain.errors import InvalidError

AuditedActions = NewType("AuditedActions", frozenset[str])
"""What the modules of this service record."""


@dataclass(frozen=True, kw_only=True)
class AuditFilters:
    """Which events. `since` is inclusive, `until` exclusive, and both carry an offset; `subject` is an id."""

    actor: str | None = None
    target: str | None = None
    subject: Annotated[str | None, MaxLen(100)] = None
    action: str | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None

    def as_stored(self, actions: AuditedActions) -> Self:
        """With usernames as they are stored. Raises InvalidError for what no event can have."""
        if self.action is not None and self.action not in actions:
            raise InvalidError("action", "Must be an action that this service records.")
        if not (self.subject or "").isprintable():
            raise InvalidError("subject", "Must be the id of a subject.")
        actor, target = _stored_form("actor", self.actor), _stored_form("target", self.target)
        return replace(self, actor=actor, target=target)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRequest(AuditFilters, PageRequest):
    """A page of them."""


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


def _stored_form(field: str, username: str | None) -> str | None:
    if username is None or is_pseudonym(username):
        return username
    name = Username.parse(username)
    if name is None:
        raise InvalidError(field, f"Must be {USERNAME_RULE}.")
    return name.value
