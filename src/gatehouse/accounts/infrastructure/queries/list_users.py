from operator import itemgetter
from typing import Final

from gatehouse.accounts.application.queries.list_users import UserList, UserListRequest, UserSorting
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import PSEUDONYM_MARK
from gatehouse.accounts.infrastructure.queries.account import ACCOUNT_JSON
from gatehouse.accounts.infrastructure.tables import LAST_LOGIN_OR_NEVER
from gatehouse.common.application.encoded_json import EncodedPage
from gatehouse.common.application.paging import Cursors
from gatehouse.common.infrastructure.keyset import KeysetList, KeysetPages, KeysetQuery
from gatehouse.common.infrastructure.replica.query_database import QueryDatabase

USERS: Final = KeysetList(
    table="users",
    select=ACCOUNT_JSON,
    orders={
        UserSorting.USERNAME: ("username",),  # unique by itself
        UserSorting.ROLE: ("role", "id"),
        UserSorting.IS_ACTIVE: ("is_active", "id"),
        UserSorting.CREATED_AT: ("created_at", "id"),
        UserSorting.UPDATED_AT: ("updated_at", "id"),
        UserSorting.LAST_LOGIN_AT: (LAST_LOGIN_OR_NEVER, "id"),
    },
    types={
        "id": "uuid",
        "created_at": "timestamptz",
        "updated_at": "timestamptz",
        LAST_LOGIN_OR_NEVER: "timestamptz",
    },
    filters={
        "last_login_since": f"{LAST_LOGIN_OR_NEVER} >= %(last_login_since)s",
        "last_login_before": f"{LAST_LOGIN_OR_NEVER} < %(last_login_before)s",
    },
    ranges=frozenset({"last_login_since", "last_login_before"}),
    prefix_column="username",
    branches={"role": tuple(role.value for role in Role), "is_active": ("false", "true")},
    orders_without_branches=frozenset({UserSorting.USERNAME}),
    # What is left of erased accounts: in no branch, since its role is in none, and behind all names in their index.
    condition_without_branches=f"username < '{PSEUDONYM_MARK}'",
)


class SqlUserPages:
    """PostgreSQL makes the JSON of each account; the page is put together here."""

    def __init__(self, database: QueryDatabase, cursors: Cursors) -> None:
        self._pages = KeysetPages(USERS, database, cursors)

    async def __call__(self, request: UserListRequest) -> EncodedPage[UserList]:
        query = KeysetQuery.of(
            request,
            request.sorting_field,
            prefix=request.search,
            role=request.role,
            is_active=request.is_active,
            last_login_since=request.last_login_since,
            last_login_before=request.last_login_before,
        )
        page = await self._pages.fetch(query, request.cursor, itemgetter(0))
        next_cursor = "null" if page.next_cursor is None else f'"{page.next_cursor}"'
        total = await self._pages.count(query) if request.with_total else None
        total_json = "null" if total is None else total
        users = ",".join(page.rows)
        text = f'{{"users":[{users}],"next_cursor":{next_cursor},"total":{total_json}}}'
        return EncodedPage.of(text, next_cursor=page.next_cursor, total=total)
