from typing import Protocol
from uuid import UUID

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.identity import Identity
from gatehouse.common.application.use_case import query
from gatehouse.common.domain.errors import UnauthenticatedError


class AccountById(Protocol):
    async def __call__(self, user_id: UUID) -> Account | None: ...


@query
class GetMe:
    """The caller's own account."""

    identity: Identity
    account: AccountById

    async def __call__(self) -> Account:
        account = await self.account(self.identity.user_id)
        if account is None:
            raise UnauthenticatedError
        return account
