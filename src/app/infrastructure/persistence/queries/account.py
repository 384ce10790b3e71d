"""How an account is read, shared by the queries that return accounts."""

from typing import Final

from psycopg import AsyncCursor
from psycopg.rows import RowMaker

from app.application.account import Account
from app.domain.role import Role

ACCOUNT_COLUMNS: Final = "id, username, role, is_active, created_at, updated_at"


def account_row(_: AsyncCursor[Account]) -> RowMaker[Account]:
    return lambda row: Account(row[0], row[1], Role(row[2]), row[3], row[4], row[5])
