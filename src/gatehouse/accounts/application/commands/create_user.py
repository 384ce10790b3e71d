from typing import ClassVar

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.application.locking import lock_actor
from gatehouse.accounts.application.passwords import Passwords
from gatehouse.accounts.application.ports import ErasedNames, Users
from gatehouse.accounts.domain.authorization import ensure_manages
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.ports import Audit, Clock, Transaction
from gatehouse.common.application.use_case import command_in_steps, retry_on_conflict


@command_in_steps
class CreateUser:
    """Admins create users; only super admins create admins. The new user must change the password at once."""

    action: ClassVar = "create_user"

    identity: Identity
    users: Users
    erased_names: ErasedNames
    passwords: Passwords
    audit: Audit
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str, password: str, role: Role) -> Account:
        ensure_manages(self.identity.role, role)  # before the costly hash; decided again under lock below
        name = Username(username)
        password_hash = await self.passwords.choose(name, password)
        user = User.create(name, role, password_hash, self.clock.now(), must_change_password=True)
        await self._add(user)
        return Account.of(user)

    @retry_on_conflict
    async def _add(self, user: User) -> None:
        async with self.transaction:
            actor = await lock_actor(self.users, self.identity, actor_is=Role.ADMIN)
            ensure_manages(actor.role, user.role)
            await self.users.add(user)
            await self.erased_names.ensure_free(user.username)
            await self.audit.record(self.action, actor=actor.username.value, target=user.username.value)
