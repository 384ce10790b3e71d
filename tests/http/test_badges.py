"""A module that is not Gatehouse's own, seen from outside: paging, subjects, conflicts."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from gatehouse.accounts import Role
from gatehouse.testing.answers import assert_done, assert_problem
from gatehouse.testing.paging import walk_pages
from gatehouse.testing.running_app import RunningApp
from gatehouse.testing.trail import page

BADGES = "/api/v1/badges/"
NAMES = ["bronze", "gold1", "gold2", "gold3", "iron", "silver", "zinc"]


@pytest.fixture
async def admin(app: RunningApp) -> httpx.AsyncClient:
    """Has awarded the badges in the reverse order of their names, two at a time."""
    client = await app.logged_in("admin", Role.ADMIN)
    await app.add_user("alice")
    for place, name in enumerate(reversed(NAMES)):
        app.clock.advance(timedelta(seconds=place % 2))
        assert (await client.post(BADGES, json={"username": "alice", "name": name})).status_code == 201
    return client


async def names(client: httpx.AsyncClient, limit: int, **query: Any) -> list[str]:
    pages = walk_pages(client, BADGES, "badges", limit=limit, **query)
    return [badge["name"] for rows in [rows async for rows in pages] for badge in rows]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
async def test_pages_join_in_any_order(admin: httpx.AsyncClient, limit: int) -> None:
    assert await names(admin, limit) == NAMES
    assert await names(admin, limit, sorting_order="desc") == NAMES[::-1]
    by_time = await names(admin, 100, sorting_field="awarded_at")
    assert sorted(by_time) == NAMES
    assert await names(admin, limit, sorting_field="awarded_at") == by_time
    assert await names(admin, limit, sorting_field="awarded_at", sorting_order="desc") == by_time[::-1]


async def test_a_badge_comes_with_the_name_of_who_wears_it(admin: httpx.AsyncClient) -> None:
    badges = (await admin.get(BADGES)).json()["badges"]

    assert {badge["username"] for badge in badges} == {"alice"}


async def test_search_is_by_prefix_and_the_total_heeds_it(admin: httpx.AsyncClient) -> None:
    answer = await admin.get(BADGES, params={"search": "gold", "limit": 1, "with_total": True})

    assert answer.json()["total"] == 3
    assert await names(admin, 2, search="gold") == ["gold1", "gold2", "gold3"]
    assert await names(admin, 2, search="gold", sorting_field="awarded_at") == ["gold3", "gold2", "gold1"]


async def test_a_cursor_of_another_list_is_refused(admin: httpx.AsyncClient) -> None:
    users = (await admin.get("/api/v1/users/", params={"limit": 1})).json()["next_cursor"]

    answer = await admin.get(BADGES, params={"cursor": users})

    assert answer.status_code == 422


async def test_the_audit_trail_names_the_user_and_the_subject_and_is_filtered_by_it(
    app: RunningApp, admin: httpx.AsyncClient
) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    badge_id = (await admin.get(BADGES, params={"search": "zinc"})).json()["badges"][0]["id"]
    assert_done(await admin.delete(f"{BADGES}{badge_id}"))

    events = (await page(app, chief, subject=badge_id))["events"]

    subject = {"kind": "badge", "id": badge_id, "label": "zinc"}
    assert [(event["action"], event["target"], event["subject"]) for event in events] == [
        ("withdraw_badge", None, subject),
        ("award_badge", "alice", subject),
    ]
    [award] = (await page(app, chief, subject=badge_id, action="award_badge"))["events"]
    assert award == events[1]


async def test_of_parallel_awards_of_one_name_one_succeeds(app: RunningApp) -> None:
    admin = await app.logged_in("admin", Role.ADMIN)
    await app.add_user("alice")

    answers = await asyncio.gather(*(admin.post(BADGES, json={"username": "alice", "name": "gold"}) for _ in range(10)))

    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 9]
    assert_problem(next(answer for answer in answers if answer.status_code == 409), "badge-taken")


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_allow_names_each_method_once(app: RunningApp, method: str) -> None:
    path = BADGES if method == "PUT" else "/api/v1/users/grant"

    answer = await (await app.client()).request(method, path, json={})

    assert_problem(answer, "method-not-allowed")
    methods = answer.headers["allow"].split(", ")
    assert methods == sorted(set(methods))
