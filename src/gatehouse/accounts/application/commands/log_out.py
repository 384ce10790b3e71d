from dataclasses import dataclass

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.ports import Audit, Sessions, Transaction
from gatehouse.common.domain.audit import Action


@dataclass(frozen=True, slots=True)
class LogOut:
    """Ends the session that this request came with."""

    identity: Identity
    sessions: Sessions
    audit: Audit
    transaction: Transaction

    async def __call__(self) -> None:
        async with self.transaction:
            if await self.sessions.end(self.identity.session_id, user_id=self.identity.user_id):
                await self.audit.record(Action.LOG_OUT, actor=self.identity.username, target=self.identity.username)
