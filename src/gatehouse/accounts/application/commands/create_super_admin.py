from collections.abc import Callable
from typing import ClassVar

from gatehouse.accounts.application.passwords import Passwords
from gatehouse.accounts.application.ports import ErasedNames, Users
from gatehouse.accounts.domain.errors import UsernameTakenError
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.ports import Audit, Clock, Transaction
from gatehouse.common.application.use_case import command_in_steps, retry_on_conflict


@command_in_steps
class CreateSuperAdmin:
    """The operator makes a new account of a super admin, on the command line only.

    An existing account is refused: whoever signed up under that name first would get the right, with a password that
    the operator does not know. `RaiseToSuperAdmin` is for that.
    """

    action: ClassVar = "create_super_admin"

    users: Users
    erased_names: ErasedNames
    passwords: Passwords
    audit: Audit
    clock: Clock
    transaction: Transaction

    async def __call__(self, username: str, ask_password: Callable[[], str]) -> None:
        name = Username(username)
        await self._ensure_is_free(name)
        password_hash = await self.passwords.choose(name, ask_password())
        await self._add(User.create(name, Role.SUPER_ADMIN, password_hash, self.clock.now()))

    @retry_on_conflict
    async def _ensure_is_free(self, name: Username) -> None:
        """Before a password is asked for; adding the user decides again."""
        async with self.transaction:
            if await self.users.find(name) is not None:
                raise UsernameTakenError

    @retry_on_conflict
    async def _add(self, user: User) -> None:
        async with self.transaction:
            await self.users.add(user)
            await self.erased_names.ensure_free(user.username)
            await self.audit.record(self.action, actor=None, target=user.username.value)
