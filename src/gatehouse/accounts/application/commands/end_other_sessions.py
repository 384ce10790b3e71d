from dataclasses import dataclass

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.ports import Audit, Sessions, Transaction
from gatehouse.common.domain.audit import Action


@dataclass(frozen=True, slots=True)
class EndOtherSessions:
    """Ends all of one's own sessions but the current one."""

    identity: Identity
    sessions: Sessions
    audit: Audit
    transaction: Transaction

    async def __call__(self) -> None:
        me = self.identity
        async with self.transaction:
            if await self.sessions.end_all_of(me.user_id, but=me.session_id):
                await self.audit.record(Action.END_OTHER_SESSIONS, actor=me.username, target=me.username)
