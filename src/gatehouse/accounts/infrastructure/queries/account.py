"""How an account is read, shared by the queries that return accounts. Its fields are those of `Account`, no others."""

from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, get_type_hints
from uuid import UUID

from psycopg import AsyncCursor
from psycopg.rows import RowMaker

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.domain.role import Role

# In UTC, always with six digits of a second.
_RFC_3339: Final = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""


def _json_value(column: str, kind: Any) -> str:  # a type, or one with None
    """A part of an SQL text, with quotation marks for JSON around what needs no other escape."""
    if kind == datetime | None:
        return f"""' || coalesce('{_json_value(column, datetime)}', 'null') || '"""
    if kind is datetime:
        return f"""\"' || to_char({column} AT TIME ZONE 'UTC', {_RFC_3339}) || '\""""
    if issubclass(kind, UUID | StrEnum):
        return f"""\"' || {column} || '\""""
    return f"' || {column} || '" if kind is bool else f"' || to_json({column})::text || '"


def _json_object(kind: type) -> str:
    """Of a dataclass whose fields are columns. Joined as text, since `json_build_object` looks up the type of each
    value anew and takes more than twice as long.
    """
    members = (f'"{name}":{_json_value(name, of)}' for name, of in get_type_hints(kind).items())
    return f"'{{{','.join(members)}}}'"


ACCOUNT_COLUMNS: Final = ", ".join(field.name for field in fields(Account))
ACCOUNT_JSON: Final = _json_object(Account)


def account_row(_: AsyncCursor[Account]) -> RowMaker[Account]:
    return lambda row: Account(row[0], row[1], Role(row[2]), row[3], row[4], row[5], row[6])
