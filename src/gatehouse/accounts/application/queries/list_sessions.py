from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gatehouse.accounts.application.identity import Identity
from gatehouse.common.application.use_case import query


@dataclass(frozen=True, slots=True)
class SessionView:
    """`id` names the session and opens nothing. `expires_at` is when it ends however much it is used. `device` is what
    the client says of itself in `user_agent`, in words such as `Firefox on Windows`, or null where nothing is known of
    it.
    """

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ip: str | None
    user_agent: str | None
    device: str | None
    is_current: bool


@dataclass(frozen=True, slots=True)
class SessionList:
    sessions: list[SessionView]


class LiveSessionViews(Protocol):
    async def __call__(self, user_id: UUID, *, current_id: UUID) -> SessionList:
        """Sessions that have not expired, newest first."""


@query
class ListSessions:
    """One's own sessions, newest first."""

    identity: Identity
    views: LiveSessionViews

    async def __call__(self) -> SessionList:
        return await self.views(self.identity.user_id, current_id=self.identity.session_id)
