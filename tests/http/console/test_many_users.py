"""An act on many users: each is a command of its own, with an outcome of its own."""

import asyncio
from typing import Final

import httpx
import psycopg
import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.common.settings import PostgresSettings, Settings
from gatehouse.testing.database import changed_tables, rows_of
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import RunningApp, on_database
from gatehouse.testing.trail import trail
from tests.http.console.calls import ACTS
from tests.http.console.pages import LOG_IN, MANY, USERS, Page, assert_error_page, assert_led_to, open_page, send

FOR_MANY: Final = ("inactivate", "reactivate", "grant", "revoke", "end-sessions")
FORBIDDEN: Final = "Your role does not allow this."


async def act(client: httpx.AsyncClient, name: str, *usernames: str) -> Page:
    """Confirmed."""
    answer = await client.post(MANY, data={"act": name, "username": list(usernames), "confirmed": "yes"})
    assert answer.status_code == 200, answer.text
    return Page(answer)


def state_of(owner: psycopg.Connection) -> dict[str, tuple[str, bool]]:
    rows = owner.execute("SELECT username, role, is_active FROM users")
    return {username: (role, is_active) for username, role, is_active in rows}


async def test_it_asks_first_and_names_whom_it_concerns(app: RunningApp, owner: psycopg.Connection) -> None:
    admin = await app.logged_in("admin", Role.ADMIN)
    await app.add_users([("alice", Role.USER, True), ("bobby", Role.USER, True)])
    before = rows_of(owner)
    form = (await open_page(admin, USERS)).form(MANY)

    asked = await admin.post(MANY, data={**form.fields_with(act="inactivate"), "username": ["alice", "bobby"]})

    page = Page(asked)
    assert changed_tables(before, rows_of(owner)) == set()
    assert page.heading == "Inactivate: 2 users?"
    assert [item.text for item in page.of("li")] == ["alice", "bobby"]
    answer = await send(admin, page.form(MANY))
    assert "2 done, 0 refused." in Page(answer).text
    assert state_of(owner)["bobby"] == ("user", False)


async def test_one_that_is_refused_does_not_stop_the_others(app: RunningApp, owner: psycopg.Connection) -> None:
    chief, admin = await app.logged_in("chief", Role.SUPER_ADMIN), await app.logged_in("admin", Role.ADMIN)
    await app.add_users([("alice", Role.USER, True), ("bobby", Role.ADMIN, True), ("carol", Role.USER, True)])

    page = await act(admin, "inactivate", "alice", "nobody", "bobby", "!", "admin", "chief", "carol")

    assert "2 done, 5 refused." in page.text
    outcomes = {row.split()[0]: row.split(maxsplit=2)[1:] for row in page.rows()}
    assert {name: outcome for name, (outcome, _) in outcomes.items()} == {
        **dict.fromkeys(["alice", "carol"], "Done"),
        **dict.fromkeys(["nobody", "bobby", "!", "admin", "chief"], "Refused"),
    }
    assert {outcomes[name][1] for name in ("bobby", "admin", "chief")} == {FORBIDDEN}
    assert outcomes["nobody"][1] == "There is no such user."
    assert {name for name, (_, is_active) in state_of(owner).items() if not is_active} == {"alice", "carol"}
    assert await trail(app, chief, actor="admin", action="inactivate_user") == [
        ("inactivate_user", "succeeded", "admin", "carol"),
        ("inactivate_user", "refused", "admin", "chief"),
        ("inactivate_user", "refused", "admin", "admin"),
        ("inactivate_user", "refused", "admin", "bobby"),
        ("inactivate_user", "succeeded", "admin", "alice"),
    ]


@pytest.mark.promise("G2")
async def test_a_hundred_are_a_hundred_acts_with_an_event_each(app: RunningApp, owner: psycopg.Connection) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    names = [f"user-{number}" for number in range(100)]
    await app.add_users([(name, Role.USER, True) for name in names])

    page = await act(chief, "grant", *names)

    assert (len(page.rows()), "100 done, 0 refused." in page.text) == (100, True)
    events = await trail(app, chief, action="grant_admin", limit=100)
    assert sorted(events) == sorted(("grant_admin", "succeeded", "chief", name) for name in names)
    assert {role for name, (role, _) in state_of(owner).items() if name != "chief"} == {"admin"}
    transactions = owner.execute("SELECT DISTINCT xmin::text FROM users WHERE role = 'admin'").fetchall()
    assert len(transactions) == 100


@pytest.mark.parametrize("confirmed", ["yes", ""])
@pytest.mark.parametrize("number", [0, 101])
async def test_none_and_more_than_a_hundred_are_refused(
    app: RunningApp, owner: psycopg.Connection, number: int, confirmed: str
) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    await app.add_user("user-1")
    before = rows_of(owner)
    names = [f"user-{number}" for number in range(number)]

    answer = await chief.post(MANY, data={"act": "inactivate", "username": names, "confirmed": confirmed})

    assert "Select 1 to 100 users." in assert_error_page(answer, 422).text
    assert changed_tables(before, rows_of(owner)) == set()


async def test_a_name_sent_often_counts_once(app: RunningApp) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    await app.add_user("alice")

    assert len((await act(chief, "inactivate", *["alice"] * 150)).rows()) == 1


@pytest.mark.parametrize("name", ["erase", "password", "", "promote", "__class__"])
async def test_some_acts_are_not_for_many(app: RunningApp, owner: psycopg.Connection, name: str) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    await app.add_user("alice")
    before = rows_of(owner)

    for confirmed in ("yes", ""):
        answer = await chief.post(MANY, data={"act": name, "username": "alice", "confirmed": confirmed})
        assert_error_page(answer, 404)

    assert changed_tables(before, rows_of(owner)) == set()


@pytest.mark.promise("G4", "Z1", "Z12")
@pytest.mark.parametrize(
    ("role", "name", "action"),
    [(Role.USER, name, None) for name in FOR_MANY]
    + [(Role.ADMIN, "grant", "grant_admin"), (Role.ADMIN, "revoke", "revoke_admin")],
)
async def test_an_act_that_the_role_does_not_allow_is_refused_as_a_whole_and_recorded(
    app: RunningApp, owner: psycopg.Connection, role: Role, name: str, action: str | None
) -> None:
    chief, client = await app.logged_in("chief", Role.SUPER_ADMIN), await app.logged_in("caller", role)
    await app.add_users([("alice", Role.USER, True), ("bobby", Role.ADMIN, False)])
    before = rows_of(owner)

    with owner.transaction():
        owner.execute("SELECT FROM users FOR UPDATE")
        answer = await client.post(MANY, data={"act": name, "username": ["alice", "bobby"], "confirmed": "yes"})

    assert_error_page(answer, 403, FORBIDDEN)
    assert changed_tables(before, rows_of(owner)) <= {"audit_events"}
    [(recorded, outcome, actor, target)] = await trail(app, chief, actor="caller", outcome="refused")
    assert (outcome, actor, target) == ("refused", "caller", "alice")
    assert action in (None, recorded)
    assert_error_page(await client.post(MANY, data={"act": name, "username": "alice"}), 403, FORBIDDEN)


@pytest.mark.parametrize(
    ("role", "names"),
    [(Role.ADMIN, ["inactivate", "reactivate", "end-sessions"]), (Role.SUPER_ADMIN, list(FOR_MANY))],
)
async def test_the_list_offers_the_acts_that_the_viewers_role_allows(
    app: RunningApp, role: Role, names: list[str]
) -> None:
    client = await app.logged_in("viewer", role)

    page = await open_page(client, USERS)

    choices = [option["value"] for option in page.of("option") if option.parent is page.with_id("act")]
    assert sorted(choices) == sorted(names)
    assert set(FOR_MANY) == set(ACTS) - {"erase"}


async def test_repeats_are_done_and_change_nothing(app: RunningApp) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    await app.add_users([("alice", Role.USER, True), ("bobby", Role.USER, False)])

    for _ in range(2):
        assert "2 done, 0 refused." in (await act(chief, "inactivate", "alice", "bobby")).text

    events = await trail(app, chief, action="inactivate_user")
    assert events == [("inactivate_user", "succeeded", "chief", "alice")]


async def test_what_has_changed_since_the_page_was_opened_is_decided_anew(
    app: RunningApp, owner: psycopg.Connection
) -> None:
    """An account became an admin, another was erased, and the admin's own role is gone."""
    chief, admin = await app.logged_in("chief", Role.SUPER_ADMIN), await app.logged_in("admin", Role.ADMIN)
    await app.add_users([(name, Role.USER, True) for name in ("alice", "bobby", "carol")])
    names = ["alice", "bobby", "carol"]
    asked = Page(await admin.post(MANY, data={"act": "inactivate", "username": names}))
    await chief.post(f"{USERS}/alice/grant")
    await chief.post(f"{USERS}/bobby/erase")

    page = Page(await send(admin, asked.form(MANY)))

    assert [row.split()[1] for row in page.rows()] == ["Refused", "Refused", "Done"]
    asked = Page(await admin.post(MANY, data={"act": "reactivate", "username": ["carol"]}))
    await chief.post(f"{USERS}/admin/revoke")
    assert_error_page(await send(admin, asked.form(MANY)), 403)
    await chief.post(f"{USERS}/admin/inactivate")
    assert_led_to(await send(admin, asked.form(MANY)), f"{LOG_IN}?next=%2Fconsole%2Fusers%2Fmany&done=nothing")
    assert state_of(owner)["carol"] == ("user", False)


@pytest.mark.promise("Z5")
async def test_two_admins_who_act_on_the_same_users_at_once_both_get_their_outcomes(
    app: RunningApp, settings: Settings, owner: psycopg.Connection
) -> None:
    names = [f"user-{number}" for number in range(20)]
    await app.add_users([(name, Role.USER, True) for name in names])
    await app.add_users([("one-chief", Role.SUPER_ADMIN, True), ("two-chief", Role.SUPER_ADMIN, True)])
    async with run_app(on_database(settings, settings[PostgresSettings].url, pool_size=2)) as pooled:
        one, two = await pooled.log_in("one-chief"), await pooled.log_in("two-chief")

        pages = await asyncio.gather(act(one, "inactivate", *names), act(two, "grant", *reversed(names)))

    assert ["20 done, 0 refused." in page.text for page in pages] == [True, True]
    assert {state for name, state in state_of(owner).items() if name in names} == {("admin", False)}


async def test_of_two_who_erase_the_same_user_one_is_told_that_it_is_gone(app: RunningApp) -> None:
    one, two = await app.logged_in("one-chief", Role.SUPER_ADMIN), await app.logged_in("two-chief", Role.SUPER_ADMIN)
    await app.add_user("alice")
    asked = [await open_page(chief, f"{USERS}/alice/erase") for chief in (one, two)]

    assert_led_to(await send(one, asked[0].form(f"{USERS}/alice/erase")), f"{USERS}?done=erase")
    answer = await send(two, asked[1].form(f"{USERS}/alice/erase"))

    assert "Go on from the list of users." in assert_error_page(answer, 404, "There is no such user.").text


@pytest.mark.promise("X1")
@pytest.mark.parametrize(("ticked", "status"), [({}, 409), ({"free_name": "yes"}, 303)])
async def test_an_erased_name_is_free_again_only_if_that_was_ticked(
    app: RunningApp, ticked: dict[str, str], status: int
) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    await app.add_user("alice")
    await send(chief, (await open_page(chief, f"{USERS}/alice/erase")).form(f"{USERS}/alice/erase"), **ticked)

    form = {"username": "alice", "password": "violet kettle under thirteen maples"}
    assert (await chief.post(f"{USERS}/new", data=form)).status_code == status
