from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Protocol

from annotated_types import Interval

from app.application.account import Account
from app.application.identity import Identity
from app.domain.role import Role


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
    sorting_field: UserSorting = UserSorting.USERNAME
    sorting_order: SortingOrder = SortingOrder.ASC
    role: Role | None = None
    is_active: bool | None = None
    with_total: bool = False


@dataclass(frozen=True, slots=True)
class UserList:
    users: list[Account]
    total: int | None


class UserPages(Protocol):
    async def __call__(self, request: UserListRequest) -> UserList: ...


@dataclass(frozen=True, slots=True)
class ListUsers:
    """Admins list all accounts. The order is total: ties are broken by id."""

    identity: Identity
    pages: UserPages

    async def __call__(self, request: UserListRequest) -> UserList:
        self.identity.ensure_at_least(Role.ADMIN)
        return await self.pages(request)
