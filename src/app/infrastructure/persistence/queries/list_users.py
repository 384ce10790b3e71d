from typing import Final

from psycopg.rows import scalar_row

from app.application.queries.list_users import SortingOrder, UserList, UserListRequest, UserSorting
from app.infrastructure.persistence.database import Database
from app.infrastructure.persistence.queries.account import ACCOUNT_COLUMNS, account_row

_COLUMNS: Final = {
    UserSorting.USERNAME: "username",
    UserSorting.ROLE: "role",
    UserSorting.IS_ACTIVE: "is_active",
    UserSorting.CREATED_AT: "created_at",
    UserSorting.UPDATED_AT: "updated_at",
}
_DIRECTIONS: Final = {SortingOrder.ASC: "ASC", SortingOrder.DESC: "DESC"}


class SqlUserPages:
    """Text of SQL comes from the tables above, values only as parameters."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, request: UserListRequest) -> UserList:
        parameters = {
            "role": request.role,
            "is_active": request.is_active,
            "limit": request.limit,
            "offset": request.offset,
        }
        where = _where(request)
        column, direction = _COLUMNS[request.sorting_field], _DIRECTIONS[request.sorting_order]
        page = f"""
            SELECT {ACCOUNT_COLUMNS} FROM users {where}
            ORDER BY {column} {direction}, id {direction}
            LIMIT %(limit)s OFFSET %(offset)s
        """
        users = await self._database.fetch_all(page, parameters, account_row)
        total = None
        if request.with_total:
            total = await self._database.fetch_one(f"SELECT count(*) FROM users {where}", parameters, scalar_row)
        return UserList(users, total)


def _where(request: UserListRequest) -> str:
    conditions = []
    if request.role is not None:
        conditions.append("role = %(role)s")
    if request.is_active is not None:
        conditions.append("is_active = %(is_active)s")
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""
