from dataclasses import dataclass

from app.application.ports import Audit, Clock, Transaction, Users
from app.domain.audit import Action
from app.domain.errors import LastSuperAdminError, UserNotFoundError
from app.domain.role import Role
from app.domain.username import Username


@dataclass(frozen=True, slots=True)
class RevokeSuperAdmin:
    """The operator makes a super admin a plain user, on the command line only. The last active one stays."""

    users: Users
    audit: Audit
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str) -> bool:
        name = Username(username)
        async with self.transaction:
            # All of them are locked before one goes, or two parallel removals could each see the other one left.
            user, active = await self.users.lock_with_active_super_admins(name)
            if user is None:
                raise UserNotFoundError
            if user.role is not Role.SUPER_ADMIN:
                return False
            if [admin.id for admin in active] == [user.id]:
                raise LastSuperAdminError
            user.revoke_super_admin(self.clock.now())
            await self.users.save(user)
            await self.audit.record(Action.REVOKE_SUPER_ADMIN, actor=None, target=name)
            return True
