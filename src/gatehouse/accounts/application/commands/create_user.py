from dataclasses import dataclass

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.authorization import lock_actor
from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.passwords import Passwords
from gatehouse.accounts.application.ports import Audit, Clock, Transaction, Users
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.common.domain.audit import Action
from gatehouse.common.domain.errors import ForbiddenError


@dataclass(frozen=True, slots=True)
class CreateUser:
    """Admins create users; only super admins create admins. The new user must change the password at once."""

    identity: Identity
    users: Users
    passwords: Passwords
    audit: Audit
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str, password: str, role: Role) -> Account:
        if not self.identity.role.manages(role):
            raise ForbiddenError  # before the costly hash; decided again under lock below
        name = Username(username)
        password_hash = await self.passwords.choose(name, password)
        user = User.create(name, role, password_hash, self.clock.now(), must_change_password=True)
        async with self.transaction:
            actor = await lock_actor(self.users, self.identity)
            actor.ensure_manages_role(role)
            await self.users.add(user)
            await self.audit.record(Action.CREATE_USER, actor=actor.username, target=name)
        return Account.of(user)
