from dataclasses import dataclass

from app.application.authorization import lock_subordinate
from app.application.identity import Identity
from app.application.ports import Audit, Clock, Transaction, Users
from app.domain.audit import Action
from app.domain.role import Role
from app.domain.username import Username


@dataclass(frozen=True, slots=True)
class GrantAdmin:
    """Super admins make a user an admin, which counts from that user's next request on."""

    identity: Identity
    users: Users
    audit: Audit
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str) -> None:
        async with self.transaction:
            user = await lock_subordinate(self.users, self.identity, Username(username), actor_is=Role.SUPER_ADMIN)
            if user.grant_admin(self.clock.now()):
                await self.users.save(user)
                await self.audit.record(Action.GRANT_ADMIN, actor=self.identity.username, target=user.username)
