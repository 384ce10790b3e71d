from typing import ClassVar

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.ports import Sessions
from gatehouse.common.application.ports import Audit, Transaction
from gatehouse.common.application.use_case import command


@command
class LogOut:
    """Ends the session that this request came with."""

    action: ClassVar = "log_out"

    identity: Identity
    sessions: Sessions
    audit: Audit
    transaction: Transaction

    async def __call__(self) -> None:
        async with self.transaction:
            if await self.sessions.end(self.identity.session_id, user_id=self.identity.user_id):
                await self.audit.record(
                    self.action, actor=self.identity.username.value, target=self.identity.username.value
                )
