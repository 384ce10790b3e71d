from typing import Final

from gatehouse.common.application.paging import Cursors
from gatehouse.common.infrastructure.keyset import KeysetList, KeysetPages, KeysetQuery
from gatehouse.common.infrastructure.replica.query_database import QueryDatabase
from tests.sample.application.queries.list_badges import BadgeList, BadgeListRequest, BadgeSorting, BadgeView

BADGES: Final = KeysetList(
    table="badges",
    # A join would have to be in every branch and in the total; this is looked up for the rows of the page alone.
    select="id, name, user_id, awarded_at, (SELECT username FROM users WHERE users.id = badges.user_id)",
    orders={BadgeSorting.NAME: ("name",), BadgeSorting.AWARDED_AT: ("awarded_at", "id")},
    types={"id": "uuid", "awarded_at": "timestamptz"},
    filters={"user_id": "user_id = %(user_id)s"},
    prefix_column="name",
)


class SqlBadgePages:
    def __init__(self, database: QueryDatabase, cursors: Cursors) -> None:
        self._pages = KeysetPages(BADGES, database, cursors)

    async def __call__(self, request: BadgeListRequest) -> BadgeList:
        query = KeysetQuery.of(request, request.sorting_field, prefix=request.search, user_id=request.user_id)
        page = await self._pages.fetch(query, request.cursor, lambda row: BadgeView(*row[:5]))
        total = await self._pages.count(query) if request.with_total else None
        return BadgeList(page.rows, page.next_cursor, total)
