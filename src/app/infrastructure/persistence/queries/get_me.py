from typing import Final
from uuid import UUID

from app.application.account import Account
from app.infrastructure.persistence.database import Database
from app.infrastructure.persistence.queries.account import ACCOUNT_COLUMNS, account_row

_SQL: Final = f"SELECT {ACCOUNT_COLUMNS} FROM users WHERE id = %(id)s"


class SqlAccountById:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, user_id: UUID) -> Account | None:
        return await self._database.fetch_one(_SQL, {"id": user_id}, account_row)
