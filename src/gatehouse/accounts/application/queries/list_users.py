from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Protocol

from annotated_types import MaxLen

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.domain.authorization import ensure_at_least
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.encoded_json import EncodedPage
from gatehouse.common.application.paging import SortedPageRequest
from gatehouse.common.application.use_case import query


class UserSorting(StrEnum):
    USERNAME = "username"
    ROLE = "role"
    IS_ACTIVE = "is_active"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    LAST_LOGIN_AT = "last_login_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserListRequest(SortedPageRequest):
    """Which accounts, in which order. Also the query string of the HTTP call, so there is no second copy of it.

    A user who never logged in counts as one whose last login is before any time.
    """

    sorting_field: UserSorting = UserSorting.USERNAME
    role: Role | None = None
    is_active: bool | None = None
    search: Annotated[str | None, MaxLen(20)] = None
    last_login_since: datetime | None = None
    last_login_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class UserList:
    """`total` is null where it was not asked for, and where more than 10 000 accounts match: it is never a guess."""

    users: list[Account]
    next_cursor: str | None
    total: int | None


class UserPages(Protocol):
    async def __call__(self, request: UserListRequest) -> EncodedPage[UserList]: ...


@query
class ListUsers:
    """Admins list all accounts. The order is total: ties are broken by id.

    `cursor` goes on where the page before ended, at the same cost for every page; `offset` is for shallow pages.
    `last_login_since` is inclusive, `last_login_before` exclusive, and both carry an offset. Whoever never logged in
    counts as having done so before any time: `last_login_before` finds them, too, and in ascending order they come
    first.
    """

    identity: Identity
    pages: UserPages

    async def __call__(self, request: UserListRequest) -> EncodedPage[UserList]:
        ensure_at_least(self.identity.role, Role.ADMIN)
        request.ensure_one_position()
        if request.search is not None:
            request = replace(request, search=Username.prefix(request.search))
        return await self.pages(request)
