"""Users by the thousand: COPY into a temporary table, and from there into `users`."""

from collections.abc import Sequence
from typing import Any, Final

import psycopg
from sqlalchemy.exc import DBAPIError

from gatehouse.accounts.application.ports import Obstacle
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.infrastructure.users import to_row
from gatehouse.common.domain.errors import TransactionConflictError
from gatehouse.common.infrastructure.database_errors import DatabaseError
from gatehouse.common.infrastructure.transaction import SqlTransaction

_STAGE: Final = "CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS SELECT 0 AS place, users.* FROM users WITH NO DATA"
# A subquery with LIMIT is looked up in the index row by row, whatever is thought of the size of a table that was made a
# moment ago.
_OBSTACLES: Final = """
    SELECT place, CASE
        WHEN named.id = incoming.id THEN 'present'
        WHEN named.id IS NOT NULL THEN 'name taken'
        WHEN numbered.role = 'erased' THEN 'id erased'
        WHEN numbered.id IS NOT NULL THEN 'id taken'
    END AS obstacle
    FROM incoming
    LEFT JOIN LATERAL (SELECT id FROM users WHERE username = incoming.username LIMIT 1) named ON true
    LEFT JOIN LATERAL (SELECT id, role FROM users WHERE id = incoming.id LIMIT 1) numbered ON true
"""
_CHECK: Final = f"{_OBSTACLES} WHERE named.id IS NOT NULL OR numbered.id IS NOT NULL"
# In the order of the names, so that two imports at once do not deadlock.
_ADD: Final = """
    WITH added AS (
        INSERT INTO users ({columns}) SELECT {columns} FROM incoming
        WHERE place >= {first} AND place < {below} ORDER BY username
        ON CONFLICT DO NOTHING RETURNING id
    )
    {obstacles}
    WHERE place >= {first} AND place < {below} AND NOT EXISTS (SELECT FROM added WHERE added.id = incoming.id)
"""
_ROWS_A_WRITE: Final = 500
_ROWS_A_STATEMENT: Final = 250
"""Each has the time limit of any statement: a busy disk that stores 50 rows a second is still no reason to give up."""
_ESCAPED: Final = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


class SqlUserBatches:
    """Needs the right to make temporary tables, which every role has unless it was taken away."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._transaction = transaction

    async def add(self, users: Sequence[User]) -> dict[int, Obstacle]:
        if not users:
            return {}
        columns = ", ".join(await self._stage(users))
        obstacles: dict[int, Obstacle] = {}
        for first in range(0, len(users), _ROWS_A_STATEMENT):
            places = {"first": first, "below": first + _ROWS_A_STATEMENT}
            obstacles |= await self._fetch(_ADD.format(columns=columns, obstacles=_OBSTACLES, **places))
        return obstacles

    async def check(self, users: Sequence[User]) -> dict[int, Obstacle]:
        if not users:
            return {}
        await self._stage(users)
        return await self._fetch(_CHECK)

    async def _stage(self, users: Sequence[User]) -> list[str]:
        """Returns the columns."""
        connection = self._transaction.connection
        try:
            await connection.exec_driver_sql(_STAGE)
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
                raise DatabaseError(
                    "postgres.url: its role may not make temporary tables, which an import needs: "
                    "GRANT TEMPORARY ON DATABASE … TO …"
                ) from None
            raise
        columns = list(to_row(users[0]))
        driver: Any = (await connection.get_raw_connection()).driver_connection  # psycopg's, of no type to SQLAlchemy
        statement = f"COPY incoming (place, {', '.join(columns)}) FROM STDIN"
        async with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for start in range(0, len(users), _ROWS_A_WRITE):
                rows = enumerate(users[start : start + _ROWS_A_WRITE], start)
                await copy.write("".join(_copy_line(place, user) for place, user in rows))
        return columns

    async def _fetch(self, statement: str) -> dict[int, Obstacle]:
        found = {}
        for row in await self._transaction.connection.exec_driver_sql(statement):
            if row.obstacle is None:  # taken since the statement began, which does not see by whom
                raise TransactionConflictError
            found[row.place] = Obstacle(row.obstacle)
        return found


def _escape(text: str) -> str:
    """Looks first: hardly any value needs it, and `translate` takes ten times as long."""
    if "\\" in text or "\t" in text or "\n" in text or "\r" in text:
        return text.translate(_ESCAPED)
    return text


def _copy_line(place: int, user: User) -> str:
    """In COPY's text format; the driver's own way to it takes four times as long."""
    return f"{place}\t{'\t'.join(map(_copy_value, to_row(user).values()))}\n"


def _copy_value(value: object) -> str:
    """Of what is no text, nothing needs to be escaped."""
    if value is None:
        return r"\N"
    return _escape(value) if isinstance(value, str) else str(value)
