from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from app.application.ports import Clock, PasswordHasher, Transaction, Users
from app.domain.password import PasswordPolicy
from app.domain.role import Role
from app.domain.user import User
from app.domain.username import Username


class SuperAdminOutcome(Enum):
    CREATED = auto()
    RAISED = auto()
    UNCHANGED = auto()


@dataclass(frozen=True, slots=True)
class CreateSuperAdmin:
    """The operator makes a super admin, on the command line only. An existing user is raised and keeps the password."""

    users: Users
    hasher: PasswordHasher
    policy: PasswordPolicy
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str, ask_password: Callable[[], str]) -> SuperAdminOutcome:
        name = Username(username)
        async with self.transaction:
            if user := await self.users.lock(name):
                if not user.grant_super_admin(self.clock.now()):
                    return SuperAdminOutcome.UNCHANGED
                await self.users.save(user)
                return SuperAdminOutcome.RAISED
        password = ask_password()
        self.policy.ensure_allows(password)
        user = User.create(name, Role.SUPER_ADMIN, await self.hasher.hash(password), self.clock.now())
        async with self.transaction:
            await self.users.add(user)
        return SuperAdminOutcome.CREATED
