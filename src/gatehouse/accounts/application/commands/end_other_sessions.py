from typing import ClassVar

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.ports import Sessions
from gatehouse.common.application.ports import Audit, Transaction
from gatehouse.common.application.use_case import command


@command
class EndOtherSessions:
    """Ends all of one's own sessions but the current one."""

    action: ClassVar = "end_other_sessions"

    identity: Identity
    sessions: Sessions
    audit: Audit
    transaction: Transaction

    async def __call__(self) -> None:
        me = self.identity
        async with self.transaction:
            if await self.sessions.end_all_of(me.user_id, but=me.session_id):
                await self.audit.record(self.action, actor=me.username.value, target=me.username.value)
