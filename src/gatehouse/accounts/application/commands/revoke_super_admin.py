from dataclasses import dataclass

from gatehouse.accounts.application.ports import Audit, Clock, Transaction, Users
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.username import Username
from gatehouse.common.domain.audit import Action
from gatehouse.common.domain.errors import LastSuperAdminError, UserNotFoundError


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
