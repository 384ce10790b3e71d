"""The list of users as a page: its state is in the address, and its pages visit everybody once."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from psycopg.conninfo import make_conninfo

from gatehouse.accounts.application.queries.list_users import UserSorting
from gatehouse.accounts.domain.role import Role
from gatehouse.common.application.paging import SortingOrder
from gatehouse.common.settings import Settings
from gatehouse.testing.database import SERVER_ROLE, CreateDatabase
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import RunningApp, on_database
from tests.http.console.pages import AUDIT, USERS, Page, open_page

NAMES: Final = sorted(["chief", *(f"user-{number:02}" for number in range(45)), "alice", "alice-2", "alicia", "bobby"])


@pytest.fixture(scope="module")
async def admin(settings: Settings, create_database: CreateDatabase) -> AsyncIterator[httpx.AsyncClient]:
    """In an application that is only read."""
    url = make_conninfo(create_database("console_list"), user=SERVER_ROLE)
    async with run_app(on_database(settings, url)) as app:
        await app.add_user("chief", Role.SUPER_ADMIN)
        for number, name in enumerate(name for name in NAMES if name != "chief"):
            app.clock.advance(timedelta(seconds=number % 3))
            await app.add_user(name, Role.ADMIN if number % 5 == 0 else Role.USER, is_active=number % 4 != 0)
        yield await app.log_in("chief")


def names_on(page: Page) -> list[str]:
    return [box["value"] for box in page.of("input") if (box["type"], box["name"]) == ("checkbox", "username")]


def address_of(page: Page, name: str) -> str | None:
    link = page.with_id(name)
    return link["href"] if link else None


def state_of(address: str) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(urlsplit(address).query, strict_parsing=True).items()}


async def walk(client: httpx.AsyncClient, address: str) -> list[str]:
    names: list[str] = []
    following: str | None = address
    while following:
        page = await open_page(client, following)
        names += names_on(page)
        following = address_of(page, "next-page")
        assert len(names) <= len(NAMES)
    return names


@pytest.mark.parametrize("limit", [20, 50])
@pytest.mark.parametrize("order", SortingOrder)
@pytest.mark.parametrize("field", UserSorting)
async def test_pages_visit_everybody_once_in_any_order(
    admin: httpx.AsyncClient, field: UserSorting, order: SortingOrder, limit: int
) -> None:
    api = await admin.get("/api/v1/users/", params={"limit": 100, "sorting_field": field, "sorting_order": order})

    names = await walk(admin, f"{USERS}?sorting_field={field}&sorting_order={order}&limit={limit}")

    assert sorted(names) == NAMES
    assert names == [user["username"] for user in api.json()["users"]]


@pytest.mark.parametrize(
    ("query", "count", "first"),
    [
        ("search=ali", "3 users", "alice"),
        ("search=ALI&role=user", "2 users", "alice-2"),
        ("search=bobby", "1 user", "bobby"),
        ("is_active=false&role=admin", "3 users", None),
        ("role=super_admin", "1 user", "chief"),
        ("", f"{len(NAMES)} users", "alice"),
        ("search=&role=&is_active=&limit=50", f"{len(NAMES)} users", "alice"),
    ],
)
async def test_it_tells_how_many_match_and_shows_what_was_asked_for(
    admin: httpx.AsyncClient, query: str, count: str, first: str | None
) -> None:
    page = await open_page(admin, f"{USERS}?{query}")

    assert [element.text for element in page.elements if element["class"] == "count"] == [count]
    assert len(page.rows()) == min(int(count.split(maxsplit=1)[0]), 50 if "limit=50" in query else 20)
    assert first in (None, names_on(page)[0])
    filled_in = page.form(USERS).fields_with()
    for name, value in state_of(f"?{query}").items() if query.replace("=&", "") else ():
        assert filled_in[name] == [value]


async def test_no_match_says_so_and_leads_back(admin: httpx.AsyncClient) -> None:
    page = await open_page(admin, f"{USERS}?search=zzz")

    assert page.rows() == []
    assert "0 users" in page.text
    [empty] = [element for element in page.elements if element["class"] == "empty"]
    assert empty.text == "No user matches. Show all users"
    assert USERS in page.links


STATE: Final = {"search": "user", "role": "user", "is_active": "true", "limit": "20"}
SORTED: Final = {**STATE, "sorting_field": "created_at", "sorting_order": "desc"}
QUERY: Final = "&".join(f"{name}={value}" for name, value in SORTED.items())


async def test_every_link_of_the_list_keeps_its_state(admin: httpx.AsyncClient) -> None:
    first = await open_page(admin, f"{USERS}?{QUERY}")
    next_address = address_of(first, "next-page")
    assert next_address
    second = await open_page(admin, next_address)
    back_address = address_of(second, "first-page")
    assert back_address

    next_state = state_of(next_address)
    assert next_state.pop("cursor")
    assert next_state == SORTED
    assert state_of(back_address) == SORTED
    assert address_of(first, "first-page") is None
    for field in UserSorting:
        address = address_of(second, f"sort-{field}")
        assert address
        assert state_of(address) == {**STATE, "sorting_field": field, "sorting_order": "asc"}


async def test_the_search_keeps_the_order_and_begins_at_the_first_page(admin: httpx.AsyncClient) -> None:
    first = await open_page(admin, f"{USERS}?{QUERY}")
    second = await open_page(admin, str(address_of(first, "next-page")))

    fields = second.form(USERS).fields_with()

    assert fields == {name: [value] for name, value in SORTED.items()}


async def test_a_column_says_how_it_is_sorted_and_a_link_turns_it_around(admin: httpx.AsyncClient) -> None:
    page = await open_page(admin, USERS)
    sorted_columns = {column.text: column["aria-sort"] for column in page.of("th") if column["aria-sort"]}
    turned = await open_page(admin, str(address_of(page, "sort-username")))

    assert sorted_columns == {"Username ▲": "ascending"}
    assert {column.text for column in turned.of("th") if column["aria-sort"] == "descending"} == {"Username ▼"}
    assert names_on(turned) == NAMES[::-1][:20]


@pytest.mark.promise("I2", "I3")
@pytest.mark.parametrize("path", [USERS, AUDIT])
async def test_a_cursor_that_was_not_made_here_is_refused_on_the_page(admin: httpx.AsyncClient, path: str) -> None:
    first = await open_page(admin, f"{USERS}?limit=20")
    cursor = state_of(str(address_of(first, "next-page")))["cursor"]

    for foreign in (
        "forged",
        cursor[:-2],
        cursor + "x",
        f"{cursor}&sorting_order=desc",
        f"{cursor}&sorting_field=role",
    ):
        if path == AUDIT and "&" in foreign:
            continue
        answer = await admin.get(f"{path}?cursor={foreign}")
        page = Page(answer)
        assert (answer.status_code, page.heading) == (422, "Users" if path == USERS else "Audit")
        [summary] = [element for element in page.elements if element["role"] == "alert"]
        assert "Must be the next_cursor of the page before" in summary.text
        assert page.rows() == []
        assert cursor[:-2] not in page.text


@pytest.mark.promise("I3")
async def test_a_search_that_cannot_be_is_told_beside_it(admin: httpx.AsyncClient) -> None:
    answer = await admin.get(f"{USERS}?search=!!")

    page = Page(answer)
    assert answer.status_code == 422
    assert page.form(USERS).fields_with()["search"] == ["!!"]
    assert "#search" in page.links


@pytest.mark.slow
async def test_above_10_000_it_does_not_count(app: RunningApp) -> None:
    client = await app.logged_in("chief", Role.SUPER_ADMIN)
    await app.database.execute(
        "INSERT INTO users (id, username, role, is_active, password_hash, must_change_password, created_at, updated_at)"
        " SELECT gen_random_uuid(), 'user-' || n, 'user', true, 'x', false, now(), now()"
        " FROM generate_series(1, 10001) AS n",
        {},
    )

    assert "More than 10 000 users" in (await open_page(client, USERS)).text
    assert "1 user" in (await open_page(client, f"{USERS}?search=chief")).text


TRAIL: Final = f"{AUDIT}?outcome=failed&action=log_in&limit=5"


async def test_the_trail_goes_from_page_to_page_within_its_filters(app: RunningApp) -> None:
    chief, client = await app.logged_in("chief", Role.SUPER_ADMIN), await app.client()
    for number in range(12):
        await client.post("/console/log-in", data={"username": f"user-{number}", "password": "wrong"})
        app.clock.advance(timedelta(seconds=1))
    await open_page(chief, AUDIT)

    rows: list[str] = []
    following: str | None = f"{TRAIL}&since=2026-01-01T02:00:00%2B02:00"
    while following:
        page = await open_page(chief, following)
        rows += page.rows()
        following = address_of(page, "next-page")
        [download] = [link for link in page.of("a") if "download" in link.attributes]
        state = state_of(download["href"])
        assert state == {"outcome": "failed", "action": "log_in", "since": "2026-01-01T02:00:00+02:00"}
        assert (await chief.get(download["href"])).status_code == 200

    assert len(rows) == len(set(rows))
    assert [sum(f"user-{number} " in row for row in rows) for number in range(12)] == [1] * 12


@pytest.mark.promise("I2")
@pytest.mark.parametrize(
    "time",
    [
        "0001-01-01T00:00:00%2B01:00",
        "9999-12-31T23:59:59-01:00",
        "0001-01-01T00:00",
        "9999-12-31T23:59",
        "1969-12-31T00:00",
    ],
)
async def test_a_time_at_the_ends_of_the_calendar_is_one(app: RunningApp, time: str) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)

    for name in ("since", "until"):
        answer = await chief.get(f"{AUDIT}?{name}={time}")
        assert answer.status_code in (200, 422)
        Page(answer)
