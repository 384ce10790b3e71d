from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Protocol

from annotated_types import Interval, MaxLen

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.encoded_json import Json
from gatehouse.common.domain.errors import InvalidError


class UserSorting(StrEnum):
    USERNAME = "username"
    ROLE = "role"
    IS_ACTIVE = "is_active"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"


class SortingOrder(StrEnum):
    ASC = "asc"
    DESC = "desc"


@dataclass(frozen=True, slots=True)
class UserListRequest:
    """Which accounts, in which order. Also the query string of the HTTP call, so there is no second copy of it."""

    limit: Annotated[int, Interval(ge=1, le=100)] = 20
    offset: Annotated[int, Interval(ge=0, le=10_000)] = 0
    cursor: Annotated[str | None, MaxLen(500)] = None
    sorting_field: UserSorting = UserSorting.USERNAME
    sorting_order: SortingOrder = SortingOrder.ASC
    role: Role | None = None
    is_active: bool | None = None
    search: Annotated[str | None, MaxLen(20)] = None
    with_total: bool = False


@dataclass(frozen=True, slots=True)
class UserList:
    """`total` is null where it was not asked for, and where more than 10 000 accounts match: it is never a guess."""

    users: list[Account]
    next_cursor: str | None
    total: int | None


class UserPages(Protocol):
    async def __call__(self, request: UserListRequest) -> Json[UserList]: ...


@dataclass(frozen=True, slots=True)
class ListUsers:
    """Admins list all accounts. The order is total: ties are broken by id.

    `cursor` goes on where the page before ended, at the same cost for every page; `offset` is for shallow pages.
    """

    identity: Identity
    pages: UserPages

    async def __call__(self, request: UserListRequest) -> Json[UserList]:
        self.identity.ensure_at_least(Role.ADMIN)
        if request.cursor is not None and request.offset:
            raise InvalidError("cursor", "Cannot be combined with offset.")
        if request.search is not None:
            request = replace(request, search=Username.prefix(request.search))
        return await self.pages(request)
