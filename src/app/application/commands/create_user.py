from dataclasses import dataclass

from app.application.account import Account
from app.application.authorization import lock_actor
from app.application.identity import Identity
from app.application.passwords import Passwords
from app.application.ports import Audit, Clock, Transaction, Users
from app.domain.audit import Action
from app.domain.errors import ForbiddenError
from app.domain.role import Role
from app.domain.user import User
from app.domain.username import Username


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
