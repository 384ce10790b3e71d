from dataclasses import dataclass

from app.application.account import Account
from app.application.passwords import Passwords
from app.application.ports import Audit, Clock, Transaction, Users
from app.domain.audit import Action
from app.domain.role import Role
from app.domain.user import User
from app.domain.username import Username


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
