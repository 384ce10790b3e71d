from dataclasses import dataclass

from gatehouse.accounts.application.authorization import lock_subordinate
from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.ports import Audit, Clock, Transaction, Users
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.username import Username
from gatehouse.common.domain.audit import Action


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
