from typing import ClassVar

from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.locking import lock_subordinate
from gatehouse.accounts.application.ports import Sessions, Users
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.ports import Audit, Clock, Transaction
from gatehouse.common.application.use_case import command


@command
class GrantAdmin:
    """Super admins make a user an admin, who logs in anew: all of that user's sessions end."""

    action: ClassVar = "grant_admin"

    identity: Identity
    users: Users
    sessions: Sessions
    audit: Audit
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str) -> None:
        async with self.transaction:
            user = await lock_subordinate(self.users, self.identity, Username(username), actor_is=Role.SUPER_ADMIN)
            if user.grant_admin(self.clock.now()):
                await self.users.save(user)
                await self.sessions.end_all_of(user.id)
                await self.audit.record(self.action, actor=self.identity.username.value, target=user.username.value)
