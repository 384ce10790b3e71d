from typing import Final
from uuid import UUID

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.infrastructure.queries.account import ACCOUNT_COLUMNS, account_row
from gatehouse.common.infrastructure.replica.read_replica import Reads

_SQL: Final = f"SELECT {ACCOUNT_COLUMNS} FROM users WHERE id = %(id)s"


class SqlAccountById:
    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    async def __call__(self, user_id: UUID) -> Account | None:
        return await self._reads.fetch_one_surely(_SQL, {"id": user_id}, account_row)
