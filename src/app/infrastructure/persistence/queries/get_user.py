from typing import Final

from app.application.account import Account
from app.infrastructure.persistence.database import Database
from app.infrastructure.persistence.queries.account import ACCOUNT_COLUMNS, account_row

_SQL: Final = f"SELECT {ACCOUNT_COLUMNS} FROM users WHERE username = %(username)s"


class SqlAccountByUsername:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, username: str) -> Account | None:
        return await self._database.fetch_one(_SQL, {"username": username}, account_row)
