from typing import ClassVar

from gatehouse.accounts.application.ports import Users
from gatehouse.accounts.domain.errors import LastSuperAdminError, UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.ports import Audit, Clock, Transaction
from gatehouse.common.application.use_case import command


@command
class RevokeSuperAdmin:
    """The operator makes a super admin a plain user, on the command line only. The last active one stays."""

    action: ClassVar = "revoke_super_admin"

    users: Users
    audit: Audit
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str) -> bool:
        name = Username(username)
        async with self.transaction:
            # All active ones are locked first: otherwise two parallel commands could each rely on the other one's user.
            user, active = await self.users.lock_with_active_super_admins(name)
            if user is None:
                raise UserNotFoundError
            if user.role is not Role.SUPER_ADMIN:
                return False
            if [admin.id for admin in active] == [user.id]:
                raise LastSuperAdminError
            user.revoke_super_admin(self.clock.now())
            await self.users.save(user)
            await self.audit.record(self.action, actor=None, target=name.value)
            return True
