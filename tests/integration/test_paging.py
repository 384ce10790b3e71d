"""Keyset pagination, while others write."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import psycopg
import pytest
from dishka import AsyncContainer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.queries.list_users import UserListRequest, UserPages, UserSorting
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.infrastructure.queries.list_users import SqlUserPages
from gatehouse.common.application.paging import Cursors, SortingOrder
from gatehouse.common.application.write_position import WritePosition
from gatehouse.common.domain.errors import InvalidError
from gatehouse.common.infrastructure.cursors import SignedCursors
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.infrastructure.replica.query_database import QueryDatabase
from gatehouse.testing.accounts.fake_queries import read

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
NEVER = datetime.min.replace(tzinfo=UTC)
PLACES = range(12)
# Once for being there, and once for each write.
MOST_SEEN = len(PLACES) + 6 * 3
MOVING = (UserSorting.ROLE, UserSorting.IS_ACTIVE, UserSorting.UPDATED_AT, UserSorting.LAST_LOGIN_AT)

accounts = st.builds(
    lambda place, role, is_active, hour, login: Account(
        # Neither the order of the names nor that of the times is the order of the ids.
        UUID(int=place * 7 % 13),
        f"user{place:02}",
        role,
        is_active,
        FIRST_DAY + timedelta(hours=place // 3),
        FIRST_DAY + timedelta(hours=hour),
        FIRST_DAY + timedelta(hours=login) if login else None,
    ),
    st.sampled_from(PLACES),
    st.sampled_from(Role),
    st.booleans(),
    st.integers(0, 2),
    st.integers(0, 2),
)
several = st.lists(accounts, max_size=3, unique_by=lambda account: account.id)


def put(owner: psycopg.Connection, account: Account) -> None:
    """Adds the account, or changes the one that is there."""
    owner.execute(
        """
        INSERT INTO users (
            id, username, role, is_active, created_at, updated_at, last_login_at, password_hash, must_change_password
        ) VALUES (%s, %s, %s, %s, %s, %s, %s, '', false)
        ON CONFLICT (id) DO UPDATE
        SET role = excluded.role, is_active = excluded.is_active, updated_at = excluded.updated_at,
            last_login_at = excluded.last_login_at
        """,
        [
            account.id,
            account.username,
            account.role.value,
            account.is_active,
            account.created_at,
            account.updated_at,
            account.last_login_at,
        ],
    )


@pytest.fixture
async def pages(container: AsyncContainer, database: Database) -> UserPages:
    pages: UserPages = SqlUserPages(QueryDatabase(database, None, WritePosition), await container.get(Cursors))
    return pages


@dataclass(frozen=True)
class Walk:
    """A walk through all pages: after each page some accounts are removed, added or changed."""

    sorting: UserSorting
    order: SortingOrder
    limit: int
    before: list[Account]
    writes: list[tuple[list[Account], list[Account]]]


walks = st.builds(
    Walk,
    st.sampled_from(UserSorting),
    st.sampled_from(SortingOrder),
    st.integers(1, 5),
    st.lists(accounts, min_size=6, max_size=len(PLACES), unique_by=lambda account: account.id),
    st.lists(st.tuples(several, several), max_size=6),
)


@pytest.mark.slow
@settings(
    max_examples=150, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(walks)
async def test_who_is_there_throughout_comes_once_and_in_order_whatever_is_written_meanwhile(
    owner: psycopg.Connection, pages: UserPages, walk: Walk
) -> None:
    owner.execute("DELETE FROM users")
    for account in walk.before:
        put(owner, account)
    steady = {account.id: account for account in walk.before}
    writes = iter(walk.writes)
    seen_ids: list[UUID] = []

    request = UserListRequest(limit=walk.limit, sorting_field=walk.sorting, sorting_order=walk.order)
    while True:
        page = read(await pages(request))
        seen_ids += [account.id for account in page.users]
        assert len(seen_ids) <= MOST_SEEN
        if page.next_cursor is None:
            break
        removed_accounts, changed_accounts = next(writes, ([], []))
        for account in removed_accounts:
            owner.execute("DELETE FROM users WHERE id = %s", [account.id])
            steady.pop(account.id, None)
        for account in changed_accounts:
            put(owner, account)
            if walk.sorting in MOVING:
                steady.pop(account.id, None)
        request = replace(request, cursor=page.next_cursor)

    expected = sorted(
        steady.values(),
        key=lambda account: (NEVER if (value := getattr(account, walk.sorting)) is None else value, account.id),
        reverse=walk.order is SortingOrder.DESC,
    )
    assert [account_id for account_id in seen_ids if account_id in steady] == [account.id for account in expected]


@pytest.fixture
def people(owner: psycopg.Connection, pages: UserPages) -> list[Account]:
    """Two of every role and state, whose times and ids are in no common order."""
    assert callable(pages)
    people = [
        Account(
            UUID(int=place * 7 % 13),
            f"user{place:02}",
            role,
            is_active,
            FIRST_DAY + timedelta(hours=place // 3),
            FIRST_DAY + timedelta(microseconds=place % 4),
            FIRST_DAY + timedelta(microseconds=place % 5) if place % 3 else None,
        )
        for place, (_, role, is_active) in enumerate(product(range(2), Role, [True, False]))
    ]
    for account in people:
        put(owner, account)
    return people


@pytest.mark.parametrize("limit", [1, 3, 5, 12])
@pytest.mark.parametrize("order", SortingOrder)
@pytest.mark.parametrize("sorting", UserSorting)
async def test_pages_by_offset_agree_with_pages_by_cursor(
    pages: UserPages, people: list[Account], sorting: UserSorting, order: SortingOrder, limit: int
) -> None:
    cursor = None
    for offset in range(0, len(people), limit):
        sorted_so = UserListRequest(limit=limit, sorting_field=sorting, sorting_order=order)
        by_offset = await pages(replace(sorted_so, offset=offset))
        assert await pages(replace(sorted_so, cursor=cursor)) == by_offset
        cursor = read(by_offset).next_cursor

    assert cursor is None


async def test_a_page_says_of_each_account_what_the_account_says_of_itself(
    pages: UserPages, people: list[Account]
) -> None:
    page = json.loads(await pages(UserListRequest(limit=100)))

    assert set(page) == {"users", "next_cursor", "total"}
    assert [set(user) for user in page["users"]] == [set(Account.__slots__)] * len(people)
    for row, account in zip(page["users"], people, strict=True):
        for field, value in TypeAdapter(Account).dump_python(account, mode="json").items():
            if isinstance(getattr(account, field), datetime):
                assert row[field] == f"{getattr(account, field):%Y-%m-%dT%H:%M:%S.%fZ}"
            else:
                assert row[field] == value


FILTERED = UserListRequest(limit=1, sorting_field=UserSorting.CREATED_AT, role=Role.USER, is_active=True, search="user")


@pytest.mark.parametrize(
    "other",
    [
        {"sorting_field": UserSorting.UPDATED_AT},
        {"sorting_order": SortingOrder.DESC},
        {"role": Role.ADMIN},
        {"role": None},
        {"is_active": False},
        {"is_active": None},
        {"search": "user0"},
        {"search": None},
    ],
)
async def test_a_cursor_is_bound_to_sorting_and_filters(
    pages: UserPages, people: list[Account], other: dict[str, Any]
) -> None:
    cursor = read(await pages(FILTERED)).next_cursor
    assert people
    assert cursor is not None

    with pytest.raises(InvalidError):
        await pages(replace(FILTERED, cursor=cursor, **other))


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_a_cursor_is_not_bound_to_the_length_of_a_page(
    pages: UserPages, people: list[Account], limit: int
) -> None:
    whole = read(await pages(replace(FILTERED, limit=100))).users
    cursor = read(await pages(FILTERED)).next_cursor

    assert set(whole) < set(people)
    assert read(await pages(replace(FILTERED, cursor=cursor, limit=limit))).users == whole[1 : 1 + limit]


@pytest.mark.promise("I2")
@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "garbage",
        "\0",
        "\ud800",
        "A" * 500,
        SignedCursors("another secret").encode("users ['username', 'asc', 'None', 'None', 'None']", ("user00", "")),
    ],
)
async def test_what_was_not_made_here_is_refused_before_the_database_is_asked(
    container: AsyncContainer, cursor: str
) -> None:
    unreachable = Database("postgresql://nobody@127.0.0.1:1/nothing", 1)
    pages = SqlUserPages(QueryDatabase(unreachable, None, WritePosition), await container.get(Cursors))

    with pytest.raises(InvalidError):
        await pages(UserListRequest(cursor=cursor))


async def test_a_cursor_of_the_audit_trail_opens_no_page_of_users(container: AsyncContainer, pages: UserPages) -> None:
    cursor = (await container.get(Cursors)).encode("audit []", (FIRST_DAY.isoformat(), str(UUID(int=1))))

    with pytest.raises(InvalidError):
        await pages(UserListRequest(cursor=cursor))
