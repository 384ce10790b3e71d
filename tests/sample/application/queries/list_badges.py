from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Protocol
from uuid import UUID

from annotated_types import MaxLen

from gatehouse.common.application.paging import SortedPageRequest
from gatehouse.common.application.use_case import query
from gatehouse.common.domain.errors import InvalidError


class BadgeSorting(StrEnum):
    NAME = "name"
    AWARDED_AT = "awarded_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeListRequest(SortedPageRequest):
    sorting_field: BadgeSorting = BadgeSorting.NAME
    user_id: UUID | None = None
    search: Annotated[str | None, MaxLen(40)] = None


@dataclass(frozen=True, slots=True)
class BadgeView:
    id: UUID
    name: str
    user_id: UUID
    awarded_at: datetime
    username: str


@dataclass(frozen=True, slots=True)
class BadgeList:
    badges: list[BadgeView]
    next_cursor: str | None
    total: int | None


class BadgePages(Protocol):
    async def __call__(self, request: BadgeListRequest) -> BadgeList: ...


@query
class ListBadges:
    """Everybody who is logged in sees all badges."""

    pages: BadgePages

    async def __call__(self, request: BadgeListRequest) -> BadgeList:
        request.ensure_one_position()
        if request.search is not None and not (request.search.isascii() and request.search.isalnum()):
            raise InvalidError("search", "Must be what a badge's name may begin with.")
        return await self.pages(replace(request))
