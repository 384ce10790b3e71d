from collections.abc import Callable
from enum import Enum, auto
from typing import ClassVar

from gatehouse.accounts.application.passwords import Passwords
from gatehouse.accounts.application.ports import Users
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.ports import Audit, Clock, Transaction
from gatehouse.common.application.use_case import command_in_steps, retry_on_conflict


class SuperAdminOutcome(Enum):
    CREATED = auto()
    PROMOTED = auto()
    UNCHANGED = auto()


@command_in_steps
class CreateSuperAdmin:
    """The operator makes a super admin, on the command line only. Promotes an existing user, who keeps the password."""

    action: ClassVar = "create_super_admin"

    users: Users
    passwords: Passwords
    audit: Audit
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str, ask_password: Callable[[], str]) -> SuperAdminOutcome:
        name = Username(username)
        if outcome := await self._promote(name):
            return outcome
        password_hash = await self.passwords.choose(name, ask_password())
        await self._add(User.create(name, Role.SUPER_ADMIN, password_hash, self.clock.now()))
        return SuperAdminOutcome.CREATED

    @retry_on_conflict
    async def _promote(self, name: Username) -> SuperAdminOutcome | None:
        """None where there is no such user."""
        async with self.transaction:
            user = await self.users.lock(name)
            if user is None:
                return None
            if not user.grant_super_admin(self.clock.now()):
                return SuperAdminOutcome.UNCHANGED
            await self.users.save(user)
            await self.audit.record(self.action, actor=None, target=name.value)
            return SuperAdminOutcome.PROMOTED

    @retry_on_conflict
    async def _add(self, user: User) -> None:
        async with self.transaction:
            await self.users.add(user)
            await self.audit.record(self.action, actor=None, target=user.username.value)
