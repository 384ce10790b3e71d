from typing import ClassVar
from uuid import UUID

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.ports import Sessions
from gatehouse.accounts.domain.errors import SessionNotFoundError
from gatehouse.common.application.ports import Audit, Transaction
from gatehouse.common.application.use_case import command


@command
class EndSession:
    """Ends one of one's own sessions. Someone else's is not found, like one that does not exist."""

    action: ClassVar = "end_session"

    identity: Identity
    sessions: Sessions
    audit: Audit
    transaction: Transaction

    async def __call__(self, session_id: UUID) -> None:
        async with self.transaction:
            if not await self.sessions.end(session_id, user_id=self.identity.user_id):
                raise SessionNotFoundError
            await self.audit.record(
                self.action, actor=self.identity.username.value, target=self.identity.username.value
            )
