import random
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from dishka import AsyncContainer
from uuid6 import uuid7

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.ports import Users
from gatehouse.accounts.application.queries.list_users import UserListRequest, UserPages, UserSorting
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.accounts.infrastructure.queries.get_me import SqlAccountById
from gatehouse.accounts.infrastructure.queries.get_user import SqlAccountByUsername
from gatehouse.accounts.infrastructure.queries.list_users import SqlUserPages
from gatehouse.common.application.paging import Cursors, SortingOrder
from gatehouse.common.application.ports import Transaction
from gatehouse.common.application.write_position import WritePosition
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.infrastructure.replica.query_database import QueryDatabase
from gatehouse.testing.accounts.fake_queries import read
from gatehouse.testing.fakes import FakeClock

# Punctuation sorts by bytes, not by any language's rules: '-' < '.' < digits < '_' < letters.
NEVER = datetime.min.replace(tzinfo=UTC)
NAMES = [
    "alice",
    "al-ice",
    "al.ice",
    "al_ice",
    "alice0",
    "bobby",
    "zz000",
    "0zero",
    "carol1",
    "carol2",
    "dave-1",
    "erin.e",
]


async def populate(container: AsyncContainer, now: datetime) -> list[Account]:
    """Users of every role and state, whose times and roles all come up several times, stored in no order."""
    kinds = list(product(Role, [True, False], [0, 1]))
    people = []
    for name, (role, is_active, minutes) in zip(NAMES, kinds, strict=True):
        user = User.create(Username(name), role, "a hash", now + timedelta(minutes=minutes))
        user.is_active, user.updated_at = is_active, now + timedelta(minutes=2 - minutes)
        user.last_login_at = now - timedelta(minutes=len(name) % 3) if minutes else None
        people.append(user)
    async with container() as scope:
        users = await scope.get(Users)
        async with await scope.get(Transaction):
            for user in random.Random(1).sample(people, len(people)):  # noqa: S311  # any order will do
                await users.add(user)
    return [Account.of(user) for user in people]


@pytest.fixture
async def accounts(container: AsyncContainer, database: Database, clock: FakeClock) -> list[Account]:
    assert isinstance(database, Database)
    return await populate(container, clock.now().replace(microsecond=0))


async def primary(container: AsyncContainer) -> QueryDatabase:
    return QueryDatabase(await container.get(Database), None, WritePosition)


@pytest.fixture
async def pages(container: AsyncContainer) -> UserPages:
    pages: UserPages = SqlUserPages(await primary(container), await container.get(Cursors))
    return pages


async def test_an_account_is_read_by_its_id(container: AsyncContainer, accounts: list[Account]) -> None:
    by_id = SqlAccountById(await primary(container))

    assert [await by_id(account.id) for account in accounts] == accounts
    assert await by_id(uuid7()) is None


async def test_an_account_is_read_by_its_username(container: AsyncContainer, accounts: list[Account]) -> None:
    by_username = SqlAccountByUsername(await primary(container))

    assert [await by_username(account.username) for account in accounts] == accounts
    assert await by_username("nobody") is None


@pytest.mark.parametrize("order", SortingOrder)
@pytest.mark.parametrize("sorting", UserSorting)
async def test_every_order_is_total_and_breaks_ties_by_id(
    pages: UserPages, accounts: list[Account], sorting: UserSorting, order: SortingOrder
) -> None:
    page = read(await pages(UserListRequest(limit=100, sorting_field=sorting, sorting_order=order)))

    def key(account: Account) -> tuple[object, int]:
        value = getattr(account, sorting.value)
        return NEVER if value is None else value, account.id.int

    assert page.users == sorted(accounts, key=key, reverse=order is SortingOrder.DESC)


@pytest.mark.parametrize("sorting", UserSorting)
async def test_pages_join_without_gap_or_repeat(
    pages: UserPages, accounts: list[Account], sorting: UserSorting
) -> None:
    whole = read(await pages(UserListRequest(limit=100, sorting_field=sorting)))

    all_users = []
    for offset in range(0, len(accounts) + 5, 5):
        page = read(await pages(UserListRequest(limit=5, offset=offset, sorting_field=sorting)))
        all_users += page.users

    assert all_users == whole.users


async def test_a_page_holds_no_more_than_its_limit(pages: UserPages, accounts: list[Account]) -> None:
    for limit in (1, 7, len(accounts), 100):
        assert len(read(await pages(UserListRequest(limit=limit))).users) == min(limit, len(accounts))


async def test_beyond_the_end_there_is_nobody(pages: UserPages, accounts: list[Account]) -> None:
    page = read(await pages(UserListRequest(offset=len(accounts), with_total=True)))

    assert (page.users, page.total) == ([], len(accounts))


@pytest.mark.parametrize("is_active", [None, True, False])
@pytest.mark.parametrize("role", [None, *Role])
async def test_filters_apply_alone_and_combined_and_the_total_heeds_them(
    pages: UserPages, accounts: list[Account], role: Role | None, *, is_active: bool | None
) -> None:
    page = read(await pages(UserListRequest(limit=2, role=role, is_active=is_active, with_total=True)))
    full_page = read(await pages(UserListRequest(limit=100, role=role, is_active=is_active)))

    expected = [
        account
        for account in sorted(accounts, key=lambda account: account.username)
        if role in (None, account.role) and is_active in (None, account.is_active)
    ]
    assert full_page.users == expected
    assert (page.users, page.total) == (expected[:2], len(expected))


async def test_the_total_is_counted_only_when_asked_for(pages: UserPages, accounts: list[Account]) -> None:
    assert read(await pages(UserListRequest())).total is None
    assert read(await pages(UserListRequest(with_total=True))).total == len(accounts)
