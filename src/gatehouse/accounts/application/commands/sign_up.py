from typing import ClassVar

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.passwords import Passwords
from gatehouse.accounts.application.ports import ErasedNames, Users
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.ports import Audit, Clock, Transaction
from gatehouse.common.application.use_case import command_in_steps, retry_on_conflict
from gatehouse.common.domain.errors import InvalidError


@command_in_steps
class SignUp:
    """Anyone who is not logged in opens an account of their own, with the role `user`."""

    action: ClassVar = "sign_up"

    users: Users
    erased_names: ErasedNames
    passwords: Passwords
    audit: Audit
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str, password: str) -> Account:
        name = Username(username)
        if name.is_reserved:
            raise InvalidError("username", "Is kept for those who run this service. Choose another one.")
        await self.passwords.count_sign_up(self.action)
        password_hash = await self.passwords.choose(name, password)
        user = User.create(name, Role.USER, password_hash, self.clock.now())
        await self._add(user)
        return Account.of(user)

    @retry_on_conflict
    async def _add(self, user: User) -> None:
        async with self.transaction:
            await self.users.add(user)
            await self.erased_names.ensure_free(user.username)
            await self.audit.record(self.action, actor=user.username.value, target=user.username.value)
