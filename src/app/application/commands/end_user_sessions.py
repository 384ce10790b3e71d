from dataclasses import dataclass

from app.application.authorization import lock_subordinate
from app.application.identity import Identity
from app.application.ports import Audit, Sessions, Transaction, Users
from app.domain.audit import Action
from app.domain.role import Role
from app.domain.username import Username


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
