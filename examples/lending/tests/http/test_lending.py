from datetime import timedelta
from typing import Any

import httpx
import pytest
from gatehouse.accounts import Role
from gatehouse.testing.answers import assert_done, assert_problem, rfc3339
from gatehouse.testing.paging import walk_pages
from gatehouse.testing.running_app import RunningApp
from gatehouse.testing.trail import trail

from tests.fakes import TERMS

ITEMS, LOANS = "/api/v1/items/", "/api/v1/loans/"
BORROWERS = {"axe": "alice", "drill": "bobby", "hammer": "alice", "ladder": "carol", "saw": "bobby"}


@pytest.fixture
async def admin(app: RunningApp) -> httpx.AsyncClient:
    """Has lent an item a minute."""
    client = await app.logged_in("admin", Role.ADMIN)
    for username in sorted(set(BORROWERS.values())):
        await app.add_user(username)
    for item, username in BORROWERS.items():
        assert (await client.post(ITEMS, json={"item": item})).status_code == 201
        assert (await client.post(LOANS, json={"username": username, "item": item})).status_code == 201
        app.clock.advance(timedelta(minutes=1))
    return client


async def items(client: httpx.AsyncClient, limit: int = 100, **query: Any) -> list[str]:
    return [loan["item"] async for page in walk_pages(client, LOANS, "loans", limit=limit, **query) for loan in page]


@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_pages_join_in_either_order(admin: httpx.AsyncClient, limit: int) -> None:
    assert await items(admin, limit) == list(BORROWERS)
    assert await items(admin, limit, sorting_field="lent_at", sorting_order="desc") == list(BORROWERS)[::-1]


async def test_the_list_is_filtered_by_borrower_and_by_due_date(app: RunningApp, admin: httpx.AsyncClient) -> None:
    third = app.clock.now() - timedelta(minutes=3) + TERMS.period

    assert await items(admin, username="alice", limit=1) == ["axe", "hammer"]
    assert await items(admin, username="nobody") == []
    assert await items(admin, due_before=rfc3339(third), limit=1) == ["axe", "drill"]
    answer = await admin.get(LOANS, params={"username": "bobby", "with_total": True, "limit": 1})
    assert (answer.json()["total"], answer.json()["loans"][0]["username"]) == (2, "bobby")


async def test_what_is_refused_says_why(app: RunningApp, admin: httpx.AsyncClient) -> None:
    await app.add_user("inactive", is_active=False)

    assert_problem(await admin.post(ITEMS, json={"item": "axe"}), "item-exists")
    for username, item, slug in (
        ("carol", "axe", "item-lent"),
        ("carol", "spade", "item-not-found"),
        ("inactive", "axe", "inactive-borrower"),
    ):
        assert_problem(await admin.post(LOANS, json={"username": username, "item": item}), slug)
    answer = await admin.post(LOANS, json={"username": "carol", "item": "a\u0000b"})
    rule = "Must be 1 to 60 printable characters, without spaces around them."
    assert_problem(answer, "invalid-input", ("item", rule))


async def test_what_is_given_back_is_lent_no_longer_and_the_trail_tells_of_it(
    app: RunningApp, admin: httpx.AsyncClient
) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)

    assert_done(await admin.patch(f"{LOANS}give_back", json={"item": "axe"}))

    assert "axe" not in await items(admin)
    assert_problem(await admin.patch(f"{LOANS}give_back", json={"item": "axe"}), "item-not-lent")
    assert await trail(app, chief, action="give_back_item") == [("give_back_item", "succeeded", "admin", None)]
