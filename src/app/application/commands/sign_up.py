from dataclasses import dataclass

from app.application.account import Account
from app.application.ports import Clock, PasswordHasher, Transaction, Users
from app.domain.password import PasswordPolicy
from app.domain.role import Role
from app.domain.user import User
from app.domain.username import Username


@dataclass(frozen=True, slots=True)
class SignUp:
    """Anyone who is not logged in opens an account of their own, with the role `user`."""

    users: Users
    hasher: PasswordHasher
    policy: PasswordPolicy
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str, password: str) -> Account:
        name = Username(username)
        self.policy.ensure_allows(password)
        user = User.create(name, Role.USER, await self.hasher.hash(password), self.clock.now())
        async with self.transaction:
            await self.users.add(user)
        return Account.of(user)
