"""All accounts as text, some thousand a statement: PostgreSQL makes the lines, and neither side holds more at once."""

from collections.abc import AsyncIterator
from typing import Final

from psycopg.rows import scalar_row

from gatehouse.accounts.application.queries.export_users import ExportBlock
from gatehouse.accounts.application.user_file import FIELDS, FileFormat
from gatehouse.accounts.domain.role import Role
from gatehouse.common.infrastructure.database import Database

_PAGES: Final = 64
"""Of the table, a statement: up to some 5000 accounts. Each has the usual time limit, the export as a whole none."""
_PAGES_A_TEXT: Final = 16
"""A longer text outgrows the processor's cache, and is made anew of memory with each statement."""
_SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
# Whoever reads the export may take a break.
_PATIENCE: Final = "SET LOCAL idle_in_transaction_session_timeout = 0"
# Whatever the snapshot shows lies in pages that are there already.
_SIZE: Final = "SELECT pg_relation_size('users') / current_setting('block_size')::integer"

_HASH: Final = "password_hash"
_ROLES: Final = ", ".join(f"'{role}'" for role in Role)
"""Not what is left of erased accounts, nor a role that only a later version knows: an import would refuse both."""
# For `concat`, which leaves out nulls. `||` needs half as much time again, json_build_object twice as much.
_JSON: Final = {
    "id": "id",
    "username": "username",
    "role": "role",
    "is_active": "is_active::text",
    "must_change_password": "must_change_password::text",
    "created_at": "to_json(created_at)",
    "updated_at": "to_json(updated_at)",
    "last_login_at": "coalesce(to_json(last_login_at)::text, 'null')",
    _HASH: f"to_json({_HASH})",
}
_PLAIN: Final = frozenset({"id", "username", "role"})
"""Their form is known: they need quotes and no escapes."""
_CSV: Final = {
    **_JSON,
    "last_login_at": "to_json(last_login_at)",  # a time is quoted, in CSV as in JSON
    _HASH: f"""'"', replace({_HASH}, '"', '""'), '"'""",
}


class SqlUserExport:
    """Reads the table page by page, in one snapshot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, form: FileFormat, *, with_hashes: bool) -> AsyncIterator[ExportBlock]:
        fields = [field for field in FIELDS if with_hashes or field != _HASH]
        if form is FileFormat.CSV:
            yield ExportBlock(f"{','.join(fields)}\n", 0, 0.0)
        statement = _statement(form, fields)
        async with self._database.transaction() as connection:
            await connection.execute(_SNAPSHOT)
            await connection.execute(_PATIENCE)
            pages = await (await connection.cursor(row_factory=scalar_row).execute(_SIZE)).fetchone() or 0
            for first in range(0, pages, _PAGES):
                below = min(first + _PAGES, pages)
                texts = await connection.execute(statement, {"first": first, "below": below})
                for text, rows in await texts.fetchall():
                    yield ExportBlock(text or "", rows, below / pages)


def _statement(form: FileFormat, fields: list[str]) -> str:
    line = ", ',', ".join(_CSV[field] for field in fields) if form is FileFormat.CSV else _json_line(fields)
    return f"""
        SELECT texts.* FROM generate_series(%(first)s::integer, %(below)s::integer - 1, {_PAGES_A_TEXT}) AS page
        CROSS JOIN LATERAL (
            SELECT string_agg(concat({line}, E'\\n'), ''), count(*) FROM users
            WHERE ctid >= format('(%%s,0)', page)::tid
                AND ctid < format('(%%s,0)', least(page + {_PAGES_A_TEXT}, %(below)s::integer))::tid
                AND role IN ({_ROLES})
        ) AS texts
    """


def _json_line(fields: list[str]) -> str:
    """What stands between two values is one argument: each of them costs as much as a short value."""
    arguments, before = [], "{"
    for field in fields:
        quote = '"' if field in _PLAIN else ""
        arguments += [f"""'{before}"{field}":{quote}'""", _JSON[field]]
        before = f"{quote},"
    return ", ".join([*arguments, "'}'"])
