from dataclasses import dataclass

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.passwords import Passwords
from gatehouse.accounts.application.ports import Audit, Clock, Transaction, Users
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.common.domain.audit import Action


@dataclass(frozen=True, slots=True)
class SignUp:
    """Anyone who is not logged in opens an account of their own, with the role `user`."""

    users: Users
    passwords: Passwords
    audit: Audit
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str, password: str) -> Account:
        name = Username(username)
        await self.passwords.count_sign_up()
        password_hash = await self.passwords.choose(name, password)
        user = User.create(name, Role.USER, password_hash, self.clock.now())
        async with self.transaction:
            await self.users.add(user)
            await self.audit.record(Action.SIGN_UP, actor=name, target=name)
        return Account.of(user)
