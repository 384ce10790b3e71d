"""What others have typed appears on pages as text, wherever it comes from."""

import html
from typing import Final

import httpx
import psycopg
import pytest
from psycopg import sql

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import LOGIN, RunningApp, client_from
from tests.http.console.pages import ACCOUNT, AUDIT, CONSOLE, LOG_IN, MANY, OWN_PASSWORD, USERS, Page

MARKUP: Final = "<img src=x onerror=alert(1)>"
BREAKOUTS: Final = [
    f"\"'>{MARKUP}",
    f"</title></script></textarea>{MARKUP}",
    '" autofocus onfocus=alert(1) x="',
    "{{ 70707 * 90909 }}&lt;b&gt;",
]


def assert_harmless(answer: httpx.Response) -> Page:
    """Parsed, it holds no element and no attribute that the text would make."""
    page = Page(answer)
    assert not [*page.of("img", "b", "textarea")]
    assert len([*page.of("title")]) == 1
    assert not [
        name for element in page.elements for name in element.attributes if name.startswith("on") or name == "x"
    ]
    assert MARKUP not in answer.text
    assert "6427902663" not in page.text
    return page


def holds(page: Page, text: str) -> bool:
    return text in page.text or any(text in value for element in page.elements for value in element.attributes.values())


@pytest.mark.promise("I4")
@pytest.mark.parametrize("text", BREAKOUTS)
async def test_the_user_agent_of_a_session(app: RunningApp, text: str) -> None:
    chief, alice = await app.logged_in("chief", Role.SUPER_ADMIN), await app.client(**{"user-agent": text})
    await app.add_user("alice", Role.ADMIN)
    await alice.post(LOGIN, json={"username": "alice", "password": PASSWORD})

    for client, path in ((alice, ACCOUNT), (chief, f"{USERS}/alice")):
        assert holds(assert_harmless(await client.get(path)), text)


@pytest.mark.promise("I4")
@pytest.mark.parametrize("text", BREAKOUTS)
async def test_whatever_the_trail_holds(app: RunningApp, owner: psycopg.Connection, text: str) -> None:
    """Also what no version of today writes."""
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    event = {"actor": "chief", "target": "chief", "action": "log_in", "outcome": "succeeded", "ip": None}
    event |= {"subject_kind": "book", "subject_id": "1", "subject_label": "One", "request_id": None}
    insert = sql.SQL("INSERT INTO audit_events (id, at, {}) VALUES (gen_random_uuid(), {}, {})")
    for column in event:
        columns = sql.SQL(", ").join(map(sql.Identifier, event))
        values = sql.SQL(", ").join(map(sql.Literal, {**event, column: text}.values()))
        owner.execute(insert.format(columns, sql.Literal(app.clock.now()), values))

    on_trail = assert_harmless(await chief.get(AUDIT))
    on_user = assert_harmless(await chief.get(f"{USERS}/chief"))

    assert on_trail.text.count(text) >= len(event) - 2  # the id of a subject is in a link alone, an action without _
    assert holds(on_user, text)


@pytest.mark.promise("I4")
@pytest.mark.parametrize("text", BREAKOUTS)
async def test_what_stands_in_an_address(app: RunningApp, text: str) -> None:
    stranger, chief = await app.client(), await app.logged_in("chief", Role.SUPER_ADMIN)
    of_chief = {
        USERS: ["search", "role", "is_active", "sorting_field", "sorting_order", "limit", "cursor", "done", text],
        AUDIT: ["actor", "target", "subject", "action", "outcome", "since", "until", "cursor", text],
        ACCOUNT: ["done", text],
        OWN_PASSWORD: ["done", text],
        f"{USERS}/chief": ["done", text],
        f"{USERS}/new": ["username", text],
        f"{CONSOLE}nothing": [text],
    }
    for path, names in of_chief.items():
        for name in names:
            assert_harmless(await chief.get(path, params={name: text}))
    for name in ("next", "done", "username", text):
        assert_harmless(await stranger.get(LOG_IN, params={name: text}))
    for path in (f"{CONSOLE}{text}", f"{USERS}/{text}", f"{USERS}/{text}/erase", f"{USERS}/chief/{text}"):
        assert_harmless(await chief.get(path))


@pytest.mark.promise("I4")
@pytest.mark.parametrize("text", BREAKOUTS)
async def test_what_was_typed_into_a_form(app: RunningApp, text: str) -> None:
    stranger, chief = await app.client(), await app.logged_in("chief", Role.SUPER_ADMIN)
    forms = [
        (stranger, LOG_IN, {"username": text, "password": text, "next": text}),
        (stranger, f"{CONSOLE}sign-up", {"username": text, "password": text}),
        (chief, f"{USERS}/new", {"username": text, "password": text, "role": "user"}),
        (chief, f"{USERS}/new", {"username": text, "password": text, "role": text}),
        (chief, MANY, {"act": "erase", "username": text}),
        (chief, MANY, {"act": "inactivate", "username": text}),
        (chief, MANY, {"act": "inactivate", "username": text, "confirmed": "yes"}),
        (chief, MANY, {"act": text, "username": text}),
        (chief, OWN_PASSWORD, {"current_password": text, "password": text}),
    ]

    for client, path, form in forms:
        assert_harmless(await client.post(path, data=form))


@pytest.mark.promise("D5")
async def test_a_strangers_forwarded_address_is_not_shown(app: RunningApp) -> None:
    await app.add_user("alice")
    client = await client_from(app, "192.0.2.7", **{"x-forwarded-for": MARKUP, "x-request-id": MARKUP})

    answer = await client.post(LOG_IN, data={"username": "alice", "password": PASSWORD})
    page = Page(await client.get(answer.headers["location"].replace(CONSOLE, ACCOUNT)))

    [session] = page.rows()
    assert "192.0.2.7" in session
    assert not holds(page, MARKUP)


def test_the_texts_are_no_markup_once_they_are_escaped() -> None:
    assert all(MARKUP not in html.escape(text) for text in BREAKOUTS)
