"""How an account is read, shared by the queries that return accounts. Its fields are those of `Account`, no others."""

from dataclasses import fields
from datetime import datetime
from typing import Final, get_type_hints

from psycopg import AsyncCursor
from psycopg.rows import RowMaker

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.domain.role import Role

# In UTC, always with six digits of a second.
_RFC_3339: Final = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""
_TYPES: Final = get_type_hints(Account)


def _json_value(column: str) -> str:
    return f"to_char({column} AT TIME ZONE 'UTC', {_RFC_3339})" if _TYPES[column] is datetime else column


ACCOUNT_COLUMNS: Final = ", ".join(field.name for field in fields(Account))
ACCOUNT_JSON: Final = (
    f"json_build_object({', '.join(f"'{field.name}', {_json_value(field.name)}" for field in fields(Account))})::text"
)


def account_row(_: AsyncCursor[Account]) -> RowMaker[Account]:
    return lambda row: Account(row[0], row[1], Role(row[2]), row[3], row[4], row[5])
