from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Protocol
from uuid import UUID

from annotated_types import MaxLen
from gatehouse.accounts import Identity, Role, Username, ensure_at_least
from gatehouse.common.application.paging import SortedPageRequest
from gatehouse.common.application.use_case import query


class LoanSorting(StrEnum):
    DUE_AT = "due_at"
    LENT_AT = "lent_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanListRequest(SortedPageRequest):
    sorting_field: LoanSorting = LoanSorting.DUE_AT
    username: Annotated[str | None, MaxLen(20)] = None
    due_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class LoanView:
    id: UUID
    item: str
    username: str
    lent_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class LoanList:
    loans: list[LoanView]
    next_cursor: str | None
    total: int | None


class LoanPages(Protocol):
    async def __call__(self, request: LoanListRequest) -> LoanList: ...


@query
class ListLoans:
    """Admins see what is lent, and to whom."""

    identity: Identity
    pages: LoanPages

    async def __call__(self, request: LoanListRequest) -> LoanList:
        ensure_at_least(self.identity.role, Role.ADMIN)
        request.ensure_one_position()
        if request.username is not None:
            request = replace(request, username=Username(request.username).value)
        return await self.pages(request)
