from typing import Final
from uuid import UUID

from app.application.account import Account
from app.infrastructure.persistence.queries.account import ACCOUNT_COLUMNS, account_row
from app.infrastructure.persistence.replica import Reads

_SQL: Final = f"SELECT {ACCOUNT_COLUMNS} FROM users WHERE id = %(id)s"


class SqlAccountById:
    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    async def __call__(self, user_id: UUID) -> Account | None:
        return await self._reads.fetch_one_surely(_SQL, {"id": user_id}, account_row)
