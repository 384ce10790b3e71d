"""Keyset pagination of the list of users."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from psycopg.conninfo import make_conninfo

from gatehouse.accounts.application.queries.list_users import UserSorting
from gatehouse.accounts.domain.role import Role
from gatehouse.common.application.paging import SortingOrder
from gatehouse.common.settings import Settings
from gatehouse.testing.answers import assert_problem
from gatehouse.testing.database import SERVER_ROLE, CreateDatabase
from gatehouse.testing.paging import walk_pages
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import RunningApp, on_database

USERS = "/api/v1/users/"
FOREIGN = ("cursor", "Must be the next_cursor of the page before, with the same sorting and filters.")
PREFIX = ("search", "Must be what a username may begin with.")
NAMES = ["alice", "alice-2", "alice.b", "alicia", "al-ice", "bobby", "bob.1", "bob_2", "zoe-z", "zzzzz", "12345"]


async def populate(app: RunningApp) -> httpx.AsyncClient:
    """Accounts that share roles, states and times; gives back an admin's client."""
    client = await app.logged_in("admin", Role.ADMIN)
    for number, name in enumerate(NAMES):
        if number % 3 == 0:
            app.clock.advance(timedelta(seconds=1))
        role = Role.ADMIN if number % 4 == 0 else Role.USER
        await app.add_user(name, role, is_active=number % 2 == 0)
    await app.add_user("chief", Role.SUPER_ADMIN)
    return client


@pytest.fixture(scope="module")
async def admin(settings: Settings, create_database: CreateDatabase) -> AsyncIterator[httpx.AsyncClient]:
    """In an application that is only read."""
    url = make_conninfo(create_database("listed"), user=SERVER_ROLE)
    async with run_app(on_database(settings, url)) as app:
        yield await populate(app)


async def page(client: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    answer = await client.get(USERS, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert set(body) == {"users", "next_cursor", "total"}
    return body


async def list_all(client: httpx.AsyncClient, **query: Any) -> list[str]:
    body = await page(client, limit=100, **query)
    assert body["next_cursor"] is None
    return [account["username"] for account in body["users"]]


async def walk(client: httpx.AsyncClient, limit: int, **query: Any) -> list[str]:
    """The names on all pages, one after the other."""
    pages = [rows async for rows in walk_pages(client, USERS, "users", limit=limit, **query)]
    return [account["username"] for rows in pages for account in rows]


@pytest.mark.parametrize("field", UserSorting)
@pytest.mark.parametrize("order", SortingOrder)
async def test_cursors_visit_every_account_once_in_any_order(
    admin: httpx.AsyncClient, field: UserSorting, order: SortingOrder
) -> None:
    sorting = {"sorting_field": field.value, "sorting_order": order.value}
    expected = await list_all(admin, **sorting)
    assert sorted(expected) == sorted([*NAMES, "admin", "chief"])

    for limit in (1, 4, len(expected)):
        assert await walk(admin, limit, **sorting) == expected


@pytest.mark.parametrize("field", UserSorting)
@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"search": "ali"}, {"alice", "alice-2", "alice.b", "alicia"}),
        ({"search": "ALICE"}, {"alice", "alice-2", "alice.b"}),
        ({"search": "bob_"}, {"bob_2"}),
        ({"search": "z"}, {"zoe-z", "zzzzz"}),
        ({"search": "zzzzz"}, {"zzzzz"}),
        ({"search": "1"}, {"12345"}),
        ({"search": "lice"}, set()),
        ({"search": "a", "role": "user"}, {"alice-2", "alice.b", "alicia"}),
        ({"search": "a", "is_active": "true"}, {"admin", "alice", "alice.b", "al-ice"}),
        ({"search": "al", "role": "admin", "is_active": "true"}, {"alice", "al-ice"}),
        ({"role": "user", "is_active": "false"}, {"alice-2", "alicia", "bobby", "bob_2", "zzzzz"}),
    ],
)
async def test_cursors_stay_within_filters_and_search(
    admin: httpx.AsyncClient, field: UserSorting, filters: dict[str, str], names: set[str]
) -> None:
    query = {"sorting_field": field.value, **filters}
    expected = await list_all(admin, **query)
    assert set(expected) == names

    assert await walk(admin, 2, **query) == expected
    assert (await page(admin, limit=1, with_total="true", **query))["total"] == len(names)


async def test_accounts_that_come_meanwhile_push_nobody_onto_two_pages(app: RunningApp) -> None:
    admin = await populate(app)
    first = await page(admin, limit=3)
    await app.add_user("aaaaa")
    await app.add_user("alice-3")

    remaining_names = await list_all(admin, cursor=first["next_cursor"])

    first_names = [account["username"] for account in first["users"]]
    assert [*first_names, *remaining_names] == sorted([*NAMES, "admin", "chief", "alice-3"])


async def test_a_cursor_goes_on_at_any_length_of_page(admin: httpx.AsyncClient) -> None:
    cursor = (await page(admin, limit=1))["next_cursor"]

    assert await list_all(admin, cursor=cursor) == (await list_all(admin))[1:]


async def test_the_total_is_that_of_all_pages(admin: httpx.AsyncClient) -> None:
    first = await page(admin, limit=5, with_total="true")
    second = await page(admin, limit=5, with_total="true", cursor=first["next_cursor"])

    assert first["total"] == second["total"] == len(NAMES) + 2
    assert (await page(admin, limit=5))["total"] is None


async def test_the_last_page_has_no_cursor_even_if_it_is_full(admin: httpx.AsyncClient) -> None:
    assert (await page(admin, limit=len(NAMES) + 2))["next_cursor"] is None
    assert (await page(admin, limit=len(NAMES) + 1))["next_cursor"] is not None


@pytest.mark.parametrize(
    "change",
    [
        {"sorting_field": "role"},
        {"sorting_order": "desc"},
        {"role": "admin"},
        {"is_active": "true"},
        {"search": "a"},
        {"search": "al"},
    ],
)
async def test_a_cursor_is_refused_with_another_sorting_or_filter(
    admin: httpx.AsyncClient, change: dict[str, str]
) -> None:
    query = {"sorting_field": "username", "sorting_order": "asc", "role": "user", "is_active": "false"}
    cursor = (await page(admin, limit=1, **query))["next_cursor"]

    answer = await admin.get(USERS, params={**query, **change, "cursor": cursor})

    assert_problem(answer, "invalid-input", FOREIGN)


@pytest.mark.promise("I2")
async def test_a_cursor_that_was_tampered_with_is_refused(admin: httpx.AsyncClient) -> None:
    cursor = (await page(admin, limit=1))["next_cursor"]
    flipped_cursors = [
        cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :] for at in range(0, len(cursor) - 1, 7)
    ]

    for invalid_cursor in (
        *flipped_cursors,
        cursor[:-4],
        cursor + "AAAA",
        cursor[::-1],
        "",
        "A",
        "AAAA",
        "\0",
        "\xe4",
        "=",
        "{}",
    ):
        answer = await admin.get(USERS, params={"cursor": invalid_cursor})
        assert_problem(answer, "invalid-input", FOREIGN)


async def test_a_cursor_and_an_offset_exclude_each_other(admin: httpx.AsyncClient) -> None:
    cursor = (await page(admin, limit=1))["next_cursor"]

    answer = await admin.get(USERS, params={"cursor": cursor, "offset": 1})

    assert_problem(answer, "invalid-input", ("cursor", "Cannot be combined with offset."))
    assert (await page(admin, cursor=cursor, offset=0))["users"]


@pytest.mark.promise("I2", "I3")
@pytest.mark.parametrize("search", ["%", "_", "a%", "a\0", "-a", "a..b", "\u0430", "a' OR 'a'='a", "", "a "])
async def test_what_no_username_begins_with_is_refused(admin: httpx.AsyncClient, search: str) -> None:
    assert_problem(await admin.get(USERS, params={"search": search}), "invalid-input", PREFIX)
