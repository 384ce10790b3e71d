from dataclasses import dataclass
from uuid import UUID

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.ports import Audit, Sessions, Transaction
from gatehouse.common.domain.audit import Action
from gatehouse.common.domain.errors import SessionNotFoundError


@dataclass(frozen=True, slots=True)
class EndSession:
    """Ends one of one's own sessions. Someone else's is not found, like one that never was."""

    identity: Identity
    sessions: Sessions
    audit: Audit
    transaction: Transaction

    async def __call__(self, session_id: UUID) -> None:
        async with self.transaction:
            if not await self.sessions.end(session_id, user_id=self.identity.user_id):
                raise SessionNotFoundError
            await self.audit.record(Action.END_SESSION, actor=self.identity.username, target=self.identity.username)
