from dataclasses import dataclass

from app.application.account import Account
from app.application.authorization import lock_actor
from app.application.identity import Identity
from app.application.ports import Clock, PasswordHasher, Transaction, Users
from app.domain.errors import ForbiddenError
from app.domain.password import PasswordPolicy
from app.domain.role import Role
from app.domain.user import User
from app.domain.username import Username


@dataclass(frozen=True, slots=True)
class CreateUser:
    """Admins create users; only super admins create admins."""

    identity: Identity
    users: Users
    hasher: PasswordHasher
    policy: PasswordPolicy
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str, password: str, role: Role) -> Account:
        if not self.identity.role.manages(role):
            raise ForbiddenError  # before the costly hash; decided again under lock below
        name = Username(username)
        self.policy.ensure_allows(password)
        user = User.create(name, role, await self.hasher.hash(password), self.clock.now())
        async with self.transaction:
            actor = await lock_actor(self.users, self.identity)
            actor.ensure_manages_role(role)
            await self.users.add(user)
        return Account.of(user)
