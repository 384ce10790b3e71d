from collections.abc import Callable
from typing import ClassVar

from gatehouse.accounts.application.passwords import Passwords
from gatehouse.accounts.application.ports import Sessions, Users
from gatehouse.accounts.domain.errors import UserNotFoundError
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.ports import Audit, Clock, Transaction
from gatehouse.common.application.use_case import command_in_steps, retry_on_conflict


@command_in_steps
class SetPassword:
    """The operator sets anybody's password, a super admin's, too, on the command line only. It must be changed at the
    next login, and all sessions end. Role, state and counted attempts stay as they are.
    """

    action: ClassVar = "set_password"

    users: Users
    sessions: Sessions
    passwords: Passwords
    audit: Audit
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str, ask_password: Callable[[], str]) -> None:
        name = Username(username)
        await self._ensure_exists(name)
        await self._replace(name, await self.passwords.choose(name, ask_password()))

    @retry_on_conflict
    async def _ensure_exists(self, name: Username) -> None:
        """Before a password is asked for; replacing it decides again."""
        async with self.transaction:
            if await self.users.find(name) is None:
                raise UserNotFoundError

    @retry_on_conflict
    async def _replace(self, name: Username, password_hash: str) -> None:
        async with self.transaction:
            user = await self.users.lock(name)
            if user is None:
                raise UserNotFoundError
            user.change_password(password_hash, self.clock.now(), by=None)
            await self.users.save(user)
            await self.sessions.end_all_of(user.id)
            await self.audit.record(self.action, actor=None, target=user.username.value)
