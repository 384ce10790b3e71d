from typing import Protocol

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.domain.authorization import ensure_at_least
from gatehouse.accounts.domain.errors import UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.use_case import query


class AccountByUsername(Protocol):
    async def __call__(self, username: str) -> Account | None: ...


@query
class GetUser:
    """Admins see any account."""

    identity: Identity
    account: AccountByUsername

    async def __call__(self, username: str) -> Account:
        ensure_at_least(self.identity.role, Role.ADMIN)
        account = await self.account(Username(username).value)
        if account is None:
            raise UserNotFoundError
        return account
