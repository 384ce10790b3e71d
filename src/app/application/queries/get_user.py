from dataclasses import dataclass
from typing import Protocol

from app.application.account import Account
from app.application.identity import Identity
from app.domain.errors import UserNotFoundError
from app.domain.role import Role
from app.domain.username import Username


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
