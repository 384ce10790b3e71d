from typing import ClassVar

from gatehouse.accounts.application.ports import Sessions, Users
from gatehouse.accounts.domain.errors import UserNotFoundError
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.ports import Audit, Clock, Transaction
from gatehouse.common.application.use_case import command


@command
class RaiseToSuperAdmin:
    """The operator raises an existing account, on the command line only. It becomes active and keeps its password.

    Its sessions end: whoever was logged in must not find themselves a super admin (OWASP ASVS 5.0, 7.2.4). Returns
    whether anything changed.
    """

    action: ClassVar = "raise_to_super_admin"

    users: Users
    sessions: Sessions
    audit: Audit
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str) -> bool:
        async with self.transaction:
            user = await self.users.lock(Username(username))
            if user is None:
                raise UserNotFoundError
            if not user.grant_super_admin(self.clock.now()):
                return False
            await self.users.save(user)
            await self.sessions.end_all_of(user.id)
            await self.audit.record(self.action, actor=None, target=user.username.value)
            return True
