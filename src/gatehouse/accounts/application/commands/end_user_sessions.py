from dataclasses import dataclass

from gatehouse.accounts.application.authorization import lock_subordinate
from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.ports import Audit, Sessions, Transaction, Users
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.username import Username
from gatehouse.common.domain.audit import Action


@dataclass(frozen=True, slots=True)
class EndUserSessions:
    """Admins end all sessions of a subordinate, who may log in again."""

    identity: Identity
    users: Users
    sessions: Sessions
    audit: Audit
    transaction: Transaction

    async def __call__(self, username: str) -> None:
        async with self.transaction:
            user = await lock_subordinate(self.users, self.identity, Username(username), actor_is=Role.ADMIN)
            if await self.sessions.end_all_of(user.id):
                await self.audit.record(Action.END_USER_SESSIONS, actor=self.identity.username, target=user.username)
