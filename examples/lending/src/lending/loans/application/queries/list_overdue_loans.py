from collections.abc import AsyncIterator
from dataclasses import replace

from gatehouse.common.application.ports import Clock
from gatehouse.common.application.use_case import query

from lending.loans.application.queries.list_loans import LoanListRequest, LoanPages, LoanView


@query
class ListOverdueLoans:
    """Whoever operates the service sees what should be back by now, the longest overdue first."""

    pages: LoanPages
    clock: Clock

    async def __call__(self) -> list[LoanView]:
        return [loan async for loan in self._walk(LoanListRequest(due_before=self.clock.now(), limit=100))]

    async def _walk(self, request: LoanListRequest) -> AsyncIterator[LoanView]:
        page = await self.pages(request)
        for loan in page.loans:
            yield loan
        while page.next_cursor is not None:
            page = await self.pages(replace(request, cursor=page.next_cursor))
            for loan in page.loans:
                yield loan
