"""Pages of users, by keyset: the cost of a page depends on its length alone."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from psycopg.rows import scalar_row, tuple_row

from gatehouse.accounts.application.queries.list_users import SortingOrder, UserList, UserListRequest, UserSorting
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.infrastructure.queries.account import ACCOUNT_COLUMNS, ACCOUNT_JSON
from gatehouse.common.application.encoded_json import Json
from gatehouse.common.application.paging import Cursors
from gatehouse.common.infrastructure.replica.read_replica import Reads

COUNT_LIMIT: Final = 10_000

# Usernames are unique and need no id to break ties.
_ORDERS: Final = {
    UserSorting.USERNAME: ("username",),
    UserSorting.ROLE: ("role", "id"),
    UserSorting.IS_ACTIVE: ("is_active", "id"),
    UserSorting.CREATED_AT: ("created_at", "id"),
    UserSorting.UPDATED_AT: ("updated_at", "id"),
}
# Where role is constant, PostgreSQL drops it from the order and may walk the primary key instead of the index: naming
# both constants keeps it to ix_users_by_id.
_BRANCH_ORDERS: Final = {**_ORDERS, UserSorting.ROLE: ("is_active", "role", "id")}
_PREFIX: Final = "username >= %(from)s AND username < %(below)s"
_AFTER_USERNAME: Final = "username {} %(after)s"
_AFTER_ID: Final = "id {} %(after_id)s::uuid"
_AFTER_TIME: Final = "({}, id) {} (%(after)s::timestamptz, %(after_id)s::uuid)"


class SqlUserPages:
    """One statement a page, put together from the constants above; values go as parameters only.

    A page is the best rows of up to six branches, one for each combination of role and state that may match. Within a
    branch both are constant, so an index on (role, is_active, <order>) is read from the right place on, and reading
    stops after a page's worth of rows.
    """

    def __init__(self, reads: Reads, cursors: Cursors) -> None:
        self._reads = reads
        self._cursors = cursors

    async def __call__(self, request: UserListRequest) -> Json[UserList]:
        after = self._cursors.decode(_scope(request), request.cursor) if request.cursor is not None else None
        parameters = _prefix_parameters(request)
        if after is not None:
            parameters |= {"after": after[0], "after_id": after[1]}
        # Which index serves a prefix in another order depends on the prefix: such a statement is planned anew.
        prepare = None if request.search is None else False
        # Each row: the account as JSON, and its place in the order as text, as a cursor keeps it.
        found = await self._reads.fetch_all(_statement(request, after), parameters, tuple_row, prepare=prepare)
        page = found[: request.limit]
        users = ",".join([row[0] for row in page])
        more = f'"{self._cursors.encode(_scope(request), page[-1][1:])}"' if len(found) > len(page) else "null"
        total = await self._total(request) if request.with_total else None
        return Json(f'{{"users":[{users}],"next_cursor":{more},"total":{"null" if total is None else total}}}'.encode())

    async def _total(self, request: UserListRequest) -> int | None:
        """Counts up to a limit: beyond it, a count would cost what the pages save."""
        roles, states = _matching(request)
        among = ", ".join(f"'{role}'" for role in roles)
        conditions = [f"role IN ({among})", *([] if len(states) > 1 else [_state(is_active=states[0])])]
        if request.search is not None:
            conditions.append(_PREFIX)
        matching = f"SELECT FROM users WHERE {' AND '.join(conditions)} LIMIT {COUNT_LIMIT + 1}"
        total = await self._reads.fetch_one(
            f"SELECT count(*) FROM ({matching}) AS matching", _prefix_parameters(request), scalar_row
        )
        return None if total is None or total > COUNT_LIMIT else total


@lru_cache(maxsize=256)
def _statement(request: UserListRequest, after: tuple[str, ...] | None) -> str:
    # One row more than asked for tells whether there is a next page. Limits stand in the text: with a parameter in
    # their place PostgreSQL would plan for a tenth of the table.
    needed = request.limit + 1
    direction = "ASC" if request.sorting_order is SortingOrder.ASC else "DESC"
    columns = _ORDERS[request.sorting_field]
    order = ", ".join(f"{column} {direction}" for column in columns)
    inner = ", ".join(f"{column} {direction}" for column in _BRANCH_ORDERS[request.sorting_field])
    branches = " UNION ALL ".join(
        f"(SELECT {ACCOUNT_COLUMNS} FROM users WHERE {condition} ORDER BY {inner} LIMIT {request.offset + needed})"
        for condition in _branches(request, after)
    )
    return f"""
        SELECT {ACCOUNT_JSON}, {columns[0]}::text, id::text FROM ({branches}) AS users
        ORDER BY {order} LIMIT {needed} OFFSET {request.offset}
    """


def _branches(request: UserListRequest, after: tuple[str, ...] | None) -> Iterator[str]:
    """The condition of each branch."""
    common = ["true"] if request.search is None else [_PREFIX]
    if request.sorting_field is UserSorting.USERNAME and request.role is None and request.is_active is None:
        # All of them in their own order: the index that keeps usernames unique serves that directly.
        yield " AND ".join([*common, *_beyond(request, after, constant="")])
        return
    roles, states = _matching(request)
    for role in roles:
        for is_active in states:
            constants = {UserSorting.ROLE: role.value, UserSorting.IS_ACTIVE: str(is_active).lower()}
            beyond = _beyond(request, after, constants.get(request.sorting_field, ""))
            yield " AND ".join([f"role = '{role}'", _state(is_active=is_active), *common, *beyond])


def _beyond(request: UserListRequest, after: tuple[str, ...] | None, constant: str) -> list[str]:
    """What lies behind the cursor, in a branch where the column of the order may be constant."""
    if after is None:
        return []
    is_ascending = request.sorting_order is SortingOrder.ASC
    is_after = ">" if is_ascending else "<"
    if request.sorting_field is UserSorting.USERNAME:
        return [_AFTER_USERNAME.format(is_after)]
    if not constant:
        return [_AFTER_TIME.format(request.sorting_field.value, is_after)]
    if constant == after[0]:
        return [_AFTER_ID.format(is_after)]
    # Roles and states sort by their names, here as in PostgreSQL: the branch lies wholly behind the cursor or before.
    return [] if (constant > after[0]) is is_ascending else ["false"]


def _matching(request: UserListRequest) -> tuple[list[Role], list[bool]]:
    roles = list(Role) if request.role is None else [request.role]
    states = [False, True] if request.is_active is None else [request.is_active]
    return roles, states


def _state(*, is_active: bool) -> str:
    return "is_active" if is_active else "NOT is_active"


def _prefix_parameters(request: UserListRequest) -> dict[str, object]:
    """All that begins with the prefix lies between it and the same with its last character raised by one."""
    if request.search is None:
        return {}
    return {"from": request.search, "below": request.search[:-1] + chr(ord(request.search[-1]) + 1)}


@lru_cache(maxsize=256)
def _scope(request: UserListRequest) -> str:
    """What a cursor is bound to: the list and its order, but not the page's length."""
    filters = (request.sorting_field, request.sorting_order, request.role, request.is_active, request.search)
    return f"users {[str(part) for part in filters]}"
