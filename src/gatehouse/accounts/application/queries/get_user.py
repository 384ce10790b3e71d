from dataclasses import dataclass
from typing import Protocol

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.username import Username
from gatehouse.common.domain.errors import UserNotFoundError


class AccountByUsername(Protocol):
    async def __call__(self, username: str) -> Account | None: ...


@dataclass(frozen=True, slots=True)
class GetUser:
    """Admins see any account."""

    identity: Identity
    account: AccountByUsername

    async def __call__(self, username: str) -> Account:
        self.identity.ensure_at_least(Role.ADMIN)
        account = await self.account(Username(username).value)
        if account is None:
            raise UserNotFoundError
        return account
