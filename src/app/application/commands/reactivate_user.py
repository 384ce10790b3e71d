from dataclasses import dataclass

from app.application.authorization import lock_subordinate
from app.application.identity import Identity
from app.application.ports import Audit, Clock, Transaction, Users
from app.domain.audit import Action
from app.domain.role import Role
from app.domain.username import Username


@dataclass(frozen=True, slots=True)
class ReactivateUser:
    """Admins make a user active again. Only super admins reactivate admins.

    Sessions that inactivation ended stay ended.
    """

    identity: Identity
    users: Users
    audit: Audit
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str) -> None:
        async with self.transaction:
            user = await lock_subordinate(self.users, self.identity, Username(username), actor_is=Role.ADMIN)
            if user.reactivate(self.clock.now()):
                await self.users.save(user)
                await self.audit.record(Action.REACTIVATE_USER, actor=self.identity.username, target=user.username)
