from typing import Final

from gatehouse.common.application.paging import Cursors
from gatehouse.common.infrastructure.keyset import KeysetList, KeysetPages, KeysetQuery
from gatehouse.common.infrastructure.replica.query_database import QueryDatabase

from lending.loans.application.queries.list_loans import LoanList, LoanListRequest, LoanSorting, LoanView

LOANS: Final = KeysetList(
    table="loans",
    # Joins would have to be in the total, too; these are looked up for the rows of the page alone.
    select="""
        id, (SELECT name FROM items WHERE items.id = loans.item_id),
        (SELECT username FROM users WHERE users.id = loans.user_id), lent_at, due_at
    """,
    orders={LoanSorting.DUE_AT: ("due_at", "id"), LoanSorting.LENT_AT: ("lent_at", "id")},
    types={"id": "uuid", "lent_at": "timestamptz", "due_at": "timestamptz"},
    filters={
        "username": "user_id = (SELECT users.id FROM users WHERE users.username = %(username)s)",
        "due_before": "due_at < %(due_before)s",
    },
    ranges=frozenset({"due_before"}),
)


class SqlLoanPages:
    def __init__(self, database: QueryDatabase, cursors: Cursors) -> None:
        self._pages = KeysetPages(LOANS, database, cursors)

    async def __call__(self, request: LoanListRequest) -> LoanList:
        query = KeysetQuery.of(request, request.sorting_field, username=request.username, due_before=request.due_before)
        page = await self._pages.fetch(query, request.cursor, lambda row: LoanView(*row[:5]))
        total = await self._pages.count(query) if request.with_total else None
        return LoanList(page.rows, page.next_cursor, total)
