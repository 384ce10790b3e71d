"""Who is still there: when users last logged in, and the list by it."""

from datetime import datetime, timedelta

import httpx
import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.answers import assert_problem, rfc3339
from gatehouse.testing.running_app import RunningApp

USERS = "/api/v1/users/"
DAY = timedelta(days=1)


@pytest.fixture
async def start(app: RunningApp) -> datetime:
    """`alice` logs in on the first day, `bobby` on the second, `chief` on the third; `nemo1` to `nemo3` never do."""
    start = app.clock.now()
    for name in ("nemo1", "nemo2", "nemo3"):
        await app.add_user(name)
    for name, role in (("alice", Role.USER), ("bobby", Role.USER), ("chief", Role.ADMIN)):
        await app.add_user(name, role)
        await app.log_in(name)
        app.clock.advance(DAY)
    app.clock.at = start + 2 * DAY
    return start


def period(start: datetime, **days: int) -> dict[str, str]:
    return {f"last_login_{end}": rfc3339(start + number * DAY) for end, number in days.items()}


async def listed(app: RunningApp, **query: str) -> list[str]:
    return [str(account["username"]) for account in await walk_all(await client_of(app), **query)]


async def client_of(app: RunningApp) -> httpx.AsyncClient:
    return await app.log_in("chief")


async def walk_all(client: httpx.AsyncClient, **query: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    cursor: dict[str, str] = {}
    while True:
        body = (await client.get(USERS, params={"limit": "2", **query, **cursor})).json()
        found += body["users"]
        if body["next_cursor"] is None:
            return found
        cursor = {"cursor": body["next_cursor"]}


async def test_an_account_shows_when_its_user_last_logged_in(app: RunningApp, start: datetime) -> None:
    accounts = {account["username"]: account["last_login_at"] for account in await walk_all(await client_of(app))}

    assert accounts == {
        "alice": rfc3339(start),
        "bobby": rfc3339(start + DAY),
        "chief": rfc3339(start + 2 * DAY),
        **dict.fromkeys(("nemo1", "nemo2", "nemo3")),
    }


async def test_a_login_changes_nothing_else_of_the_account(app: RunningApp) -> None:
    admin = await app.logged_in("admin", Role.ADMIN)
    await app.add_user("alice")
    before = (await admin.get(f"{USERS}alice")).json()
    app.clock.advance(timedelta(minutes=1))

    await app.log_in("alice")

    assert (await admin.get(f"{USERS}alice")).json() == {**before, "last_login_at": rfc3339(app.clock.now())}


async def test_in_the_order_of_last_logins_those_who_never_did_come_before_all_others(
    app: RunningApp, start: datetime
) -> None:
    assert start <= app.clock.now()
    order = ["nemo1", "nemo2", "nemo3", "alice", "bobby", "chief"]

    assert await listed(app, sorting_field="last_login_at") == order
    assert await listed(app, sorting_field="last_login_at", sorting_order="desc") == order[::-1]


@pytest.mark.parametrize(
    ("days", "names"),
    [
        ({"before": 1}, {"alice", "nemo1", "nemo2", "nemo3"}),
        ({"before": 0}, {"nemo1", "nemo2", "nemo3"}),
        ({"since": 1}, {"bobby", "chief"}),
        ({"since": 3}, set()),
        ({"since": 0, "before": 2}, {"alice", "bobby"}),
    ],
)
async def test_who_logged_in_before_or_since_a_time_is_listed_in_any_order(
    app: RunningApp, start: datetime, days: dict[str, int], names: set[str]
) -> None:
    for sorting_field in ("last_login_at", "username", "role"):
        found = await listed(app, sorting_field=sorting_field, **period(start, **days))

        assert (set(found), len(found)) == (names, len(names)), sorting_field


async def test_the_time_goes_with_other_filters_and_the_total(app: RunningApp, start: datetime) -> None:
    times = period(start, since=0, before=2)
    client = await client_of(app)

    assert await listed(app, **times, search="b") == ["bobby"]
    assert (await client.get(USERS, params={**times, "with_total": "true", "role": "user"})).json()["total"] == 2


@pytest.mark.parametrize("time", ["yesterday", "2026-01-01", "2026-01-01T00:00:00", "1767225600"])
async def test_a_time_needs_an_offset(app: RunningApp, time: str) -> None:
    admin = await app.logged_in("admin", Role.ADMIN)

    answer = await admin.get(USERS, params={"last_login_before": time})

    assert_problem(answer, "invalid-input", ("last_login_before", "Must be an RFC 3339 time with an offset."))
