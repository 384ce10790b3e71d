"""How super admins read the audit trail."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.answers import assert_done, assert_problem
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import RunningApp
from gatehouse.testing.trail import AUDIT, page, trail

SIGN_UP = "/api/v1/account/signup"
USERS = "/api/v1/users/"
SECOND = timedelta(seconds=1)
FOREIGN = ("cursor", "Must be the next_cursor of the page before, with the same sorting and filters.")


@pytest.fixture
async def busy(app: RunningApp, chief: httpx.AsyncClient) -> datetime:
    """A second apart: alice signs up, bobby signs up, alice becomes an admin, alice logs in. Returns the start."""
    client = await app.client()
    start = app.clock.now()
    for name in ("alice", "bobby"):
        assert (await client.post(SIGN_UP, json={"username": name, "password": PASSWORD})).status_code == 201
        app.clock.advance(SECOND)
    assert_done(await chief.patch(f"{USERS}grant", json={"username": "alice"}))
    app.clock.advance(SECOND)
    await app.log_in("alice")
    return start


EVENTS = ["log_in alice", "grant_admin alice", "sign_up bobby", "sign_up alice", "log_in chief"]


async def read_events(app: RunningApp, chief: httpx.AsyncClient, **query: Any) -> list[str]:
    return [f"{action} {target}" for action, _, _, target in await trail(app, chief, **query)]


@pytest.mark.parametrize(
    ("query", "events"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"actor": "alice"}, [0, 3]),
        ({"actor": "CHIEF"}, [1, 4]),
        ({"target": "alice"}, [0, 1, 3]),
        ({"actor": "chief", "target": "alice"}, [1]),
        ({"action": "sign_up"}, [2, 3]),
        ({"action": "sign_up", "target": "bobby"}, [2]),
        ({"actor": "nobody"}, []),
        ({"action": "log_out"}, []),
        ({"limit": "2"}, [0, 1]),
    ],
)
async def test_filters_narrow_the_trail(
    app: RunningApp, chief: httpx.AsyncClient, busy: datetime, query: dict[str, str], events: list[int]
) -> None:
    assert busy < app.clock.now()
    assert await read_events(app, chief, **query) == [EVENTS[number] for number in events]


@pytest.mark.parametrize(
    ("span", "events"),
    [
        ({"since": 0}, [0, 1, 2, 3]),
        ({"since": 1}, [0, 1, 2]),
        ({"since": 1, "until": 2}, [2]),
        ({"until": 1}, [3, 4]),
        ({"since": 2, "until": 1}, []),
        ({"since": 4}, []),
    ],
)
async def test_a_span_of_time_holds_its_beginning_and_not_its_end(
    app: RunningApp, chief: httpx.AsyncClient, busy: datetime, span: dict[str, int], events: list[int]
) -> None:
    query = {name: (busy + second * SECOND).isoformat() for name, second in span.items()}

    assert await read_events(app, chief, **query) == [EVENTS[number] for number in events]


@pytest.mark.parametrize("path", [AUDIT, f"{AUDIT}export"])
@pytest.mark.parametrize("until", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "0001-06-01T00:00:00Z"])
async def test_before_the_first_year_there_is_nothing(chief: httpx.AsyncClient, path: str, until: str) -> None:
    answer = await chief.get(path, params={"until": until})

    assert (answer.status_code, "log_in" in answer.text) == (200, False)


@pytest.mark.slow
@pytest.mark.parametrize("limit", [1, 2, 4])
@pytest.mark.parametrize("same_time", [True, False])
async def test_pages_hold_every_event_once_whatever_happens_meanwhile(
    app: RunningApp, chief: httpx.AsyncClient, limit: int, *, same_time: bool
) -> None:
    for number in range(6):
        await app.logged_in(f"user-{number}")
        app.clock.advance(timedelta(0) if same_time else SECOND)
    all_events = (await page(app, chief, limit=100))["events"]
    assert len(all_events) == 7

    page_events, cursor = [], None
    while True:
        body = await page(app, chief, limit=limit, **({"cursor": cursor} if cursor else {}))
        page_events += body["events"]
        cursor = body["next_cursor"]
        if cursor is None:
            break
        app.clock.advance(SECOND)
        await app.log_in("user-0")

    assert page_events == all_events


async def test_a_cursor_is_good_for_its_own_trail_only(
    app: RunningApp, chief: httpx.AsyncClient, busy: datetime
) -> None:
    cursor = (await page(app, chief, limit=1, actor="alice"))["next_cursor"]
    users = (await chief.get(USERS, params={"limit": 1})).json()["next_cursor"]
    other = {"a": "b"}.get(cursor[0], "a")
    queries: list[dict[str, Any]] = [
        {"cursor": cursor},
        {"cursor": cursor, "actor": "bobby"},
        {"cursor": cursor, "actor": "alice", "action": "log_in"},
        {"cursor": cursor, "actor": "alice", "since": busy.isoformat()},
        *(
            {"cursor": invalid_cursor, "actor": "alice"}
            for invalid_cursor in (other + cursor[1:], cursor[:-4], users, "", "x", "ä", "\0")
        ),
    ]

    for query in queries:
        assert_problem(await chief.get(AUDIT, params=query), "invalid-input", FOREIGN)
    assert len((await page(app, chief, limit=50, cursor=cursor, actor="alice"))["events"]) == 1


@pytest.mark.promise("I2", "I3")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("actor", "\0"),
        ("actor", "kanari\0envogel"),
        ("target", "kanari\0envogel"),
        ("target", "\u0430lice"),
        ("actor", "kanarienvogel' OR 1=1"),
        ("action", "log_in\0"),
        ("action", "kanarienvogel"),
        ("since", "2026-01-01\0"),
        ("since", "kanarienvogel"),
        ("since", "2026-01-01T00:00:00"),
        ("until", "2026-01-01T00:00:00"),
        ("until", "99999999999999999999"),
        ("limit", "0"),
        ("limit", "101"),
        ("cursor", "x" * 501),
    ],
)
async def test_a_wrong_value_is_refused_and_not_repeated(chief: httpx.AsyncClient, field: str, value: str) -> None:
    answer = await chief.get(f"{AUDIT}?{field}={quote(value)}")

    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert "kanarienvogel" not in answer.text


@pytest.mark.parametrize("role", [Role.USER, Role.ADMIN])
async def test_only_super_admins_read_the_trail(app: RunningApp, role: Role) -> None:
    assert_problem(await (await app.logged_in("mallory", role)).get(AUDIT), "forbidden")


async def test_strangers_read_nothing(app: RunningApp) -> None:
    assert_problem(await (await app.client()).get(AUDIT), "unauthenticated")
