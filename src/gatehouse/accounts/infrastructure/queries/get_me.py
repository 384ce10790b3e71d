from typing import Final
from uuid import UUID

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.infrastructure.queries.account import ACCOUNT_COLUMNS, account_row
from gatehouse.accounts.infrastructure.tables import ERASED
from gatehouse.common.infrastructure.replica.query_database import QueryDatabase

_SQL: Final = f"SELECT {ACCOUNT_COLUMNS} FROM users WHERE id = %(id)s AND role <> '{ERASED}'"


class SqlAccountById:
    def __init__(self, database: QueryDatabase) -> None:
        self._database = database

    async def __call__(self, user_id: UUID) -> Account | None:
        return await self._database.fetch_one_or_from_primary(_SQL, {"id": user_id}, account_row)
