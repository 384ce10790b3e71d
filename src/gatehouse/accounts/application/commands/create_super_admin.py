from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from gatehouse.accounts.application.passwords import Passwords
from gatehouse.accounts.application.ports import Audit, Clock, Transaction, Users
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.common.domain.audit import Action


class SuperAdminOutcome(Enum):
    CREATED = auto()
    RAISED = auto()
    UNCHANGED = auto()


@dataclass(frozen=True, slots=True)
class CreateSuperAdmin:
    """The operator makes a super admin, on the command line only. An existing user is raised and keeps the password."""

    users: Users
    passwords: Passwords
    audit: Audit
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str, ask_password: Callable[[], str]) -> SuperAdminOutcome:
        name = Username(username)
        async with self.transaction:
            if user := await self.users.lock(name):
                if not user.grant_super_admin(self.clock.now()):
                    return SuperAdminOutcome.UNCHANGED
                await self.users.save(user)
                await self.audit.record(Action.CREATE_SUPER_ADMIN, actor=None, target=name)
                return SuperAdminOutcome.RAISED
        password_hash = await self.passwords.choose(name, ask_password())
        user = User.create(name, Role.SUPER_ADMIN, password_hash, self.clock.now())
        async with self.transaction:
            await self.users.add(user)
            await self.audit.record(Action.CREATE_SUPER_ADMIN, actor=None, target=name)
        return SuperAdminOutcome.CREATED
