from typing import Final

from app.application.account import Account
from app.infrastructure.persistence.queries.account import ACCOUNT_COLUMNS, account_row
from app.infrastructure.persistence.replica import Reads

_SQL: Final = f"SELECT {ACCOUNT_COLUMNS} FROM users WHERE username = %(username)s"


class SqlAccountByUsername:
    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    async def __call__(self, username: str) -> Account | None:
        return await self._reads.fetch_one(_SQL, {"username": username}, account_row)
