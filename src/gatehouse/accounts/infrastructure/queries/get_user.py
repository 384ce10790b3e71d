from typing import Final

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.infrastructure.queries.account import ACCOUNT_COLUMNS, account_row
from gatehouse.common.infrastructure.replica.query_database import QueryDatabase

_SQL: Final = f"SELECT {ACCOUNT_COLUMNS} FROM users WHERE username = %(username)s"


class SqlAccountByUsername:
    def __init__(self, database: QueryDatabase) -> None:
        self._database = database

    async def __call__(self, username: str) -> Account | None:
        return await self._database.fetch_one(_SQL, {"username": username}, account_row)
