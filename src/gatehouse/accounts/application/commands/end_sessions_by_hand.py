from typing import ClassVar

from gatehouse.accounts.application.ports import Sessions, Users
from gatehouse.accounts.domain.errors import UserNotFoundError
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.ports import Audit, Transaction
from gatehouse.common.application.use_case import command


@command
class EndSessionsByHand:
    """The operator ends all sessions of anybody, a super admin, too, on the command line only. Returns how many."""

    action: ClassVar = "end_sessions_by_hand"

    users: Users
    sessions: Sessions
    audit: Audit
    transaction: Transaction

    async def __call__(self, username: str) -> int:
        async with self.transaction:
            user = await self.users.lock(Username(username))
            if user is None:
                raise UserNotFoundError
            if ended := await self.sessions.end_all_of(user.id):
                await self.audit.record(self.action, actor=None, target=user.username.value)
            return ended
