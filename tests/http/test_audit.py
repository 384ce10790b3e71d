"""What the audit trail and the log record."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
import structlog

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.answers import assert_done, assert_problem, rfc3339
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import LOGIN, RunningApp, client_from, try_log_in
from gatehouse.testing.trail import page, trail

SIGN_UP = "/api/v1/account/signup"
USERS = "/api/v1/users/"
SESSIONS = "/api/v1/account/sessions"
SECOND = timedelta(seconds=1)


@pytest.mark.promise("G1")
async def test_an_event_says_who_did_what_to_whom_from_where_and_when(
    app: RunningApp, chief: httpx.AsyncClient
) -> None:
    await app.add_user("alice")
    client = await client_from(app, "192.0.2.7")
    answer = await try_log_in(client)
    assert_done(answer)

    body = await page(app, chief, actor="alice")

    assert set(body) == {"events", "next_cursor"}
    [event] = body["events"]
    assert UUID(event.pop("id")).version == 7
    assert event == {
        "at": rfc3339(app.clock.now()),
        "action": "log_in",
        "outcome": "succeeded",
        "actor": "alice",
        "target": "alice",
        "subject": None,
        "ip": "192.0.2.7",
        "request_id": answer.headers["x-request-id"],
    }


@pytest.mark.promise("G1")
async def test_the_log_says_the_same(app: RunningApp) -> None:
    await app.add_user("alice")
    client = await client_from(app, "192.0.2.7")

    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logs:
        answers = [await try_log_in(client, password="wrong " + PASSWORD), await try_log_in(client)]

    audit_lines = [line for line in logs if line["event"] == "audit"]
    assert [line["request_id"] for line in audit_lines] == [answer.headers["x-request-id"] for answer in answers]
    common = {"action": "log_in", "target": "alice", "ip": "192.0.2.7"}
    failed, succeeded = ({key: line[key] for key in ("outcome", *common)} for line in audit_lines)
    assert failed == {"outcome": "failed", **common}
    assert succeeded == {"outcome": "succeeded", **common}
    assert audit_lines[1]["actor"] == "alice"


@pytest.mark.promise("G1")
async def test_a_refusal_is_logged_with_where_it_came_from(app: RunningApp) -> None:
    mallory = await client_from(app, "192.0.2.66")
    await app.add_user("mallory")
    assert_done(await try_log_in(mallory, "mallory"))

    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logs:
        answer = await mallory.get(USERS)

    assert_problem(answer, "forbidden")
    [line] = [line for line in logs if line["event"] == "refused"]
    expected = {"problem": "forbidden", "method": "GET", "path": USERS, "ip": "192.0.2.66"}
    assert {key: line[key] for key in expected} == expected
    assert line["request_id"] == answer.headers["x-request-id"]


async def test_every_act_leaves_its_event_newest_first(app: RunningApp, chief: httpx.AsyncClient) -> None:
    alice = await app.client()
    change = f"{USERS}change_password"
    new = "a whole new sentence to remember"
    credentials = {"username": "alice", "password": PASSWORD}
    calls: list[tuple[str, httpx.AsyncClient, str, str, dict[str, str] | None, str, str]] = [
        ("sign_up", alice, "POST", SIGN_UP, credentials, "alice", "alice"),
        ("log_in", alice, "POST", LOGIN, credentials, "alice", "alice"),
        ("create_user", chief, "POST", USERS, {"username": "bobby", "password": PASSWORD}, "chief", "bobby"),
        ("grant_admin", chief, "PATCH", f"{USERS}grant", {"username": "alice"}, "chief", "alice"),
        ("log_in", alice, "POST", LOGIN, credentials, "alice", "alice"),
        ("inactivate_user", alice, "PATCH", f"{USERS}inactivate", {"username": "bobby"}, "alice", "bobby"),
        ("reactivate_user", alice, "PATCH", f"{USERS}reactivate", {"username": "bobby"}, "alice", "bobby"),
        ("revoke_admin", chief, "PATCH", f"{USERS}revoke", {"username": "alice"}, "chief", "alice"),
        ("change_password", chief, "PATCH", change, {"username": "bobby", "password": new}, "chief", "bobby"),
        ("log_out", alice, "DELETE", "/api/v1/account/logout", None, "alice", "alice"),
    ]
    for _, client, method, path, body, *_ in calls:
        answer = await client.request(method, path, json=body)
        assert answer.is_success, (path, answer.text)
        app.clock.advance(SECOND)

    expected = [(action, "succeeded", actor, target) for action, *_, actor, target in reversed(calls)]
    assert await trail(app, chief) == [*expected, ("log_in", "succeeded", "chief", "chief")]


async def test_ending_sessions_leaves_events(app: RunningApp, chief: httpx.AsyncClient) -> None:
    alice = await app.logged_in("alice")
    for _ in range(3):
        await app.log_in("alice")
    oldest = (await alice.get(SESSIONS)).json()["sessions"][-2]["id"]
    since = app.clock.now() + SECOND
    for client, path in ((alice, f"{SESSIONS}/{oldest}"), (alice, SESSIONS), (chief, f"{USERS}alice/sessions")):
        app.clock.advance(SECOND)
        assert_done(await client.delete(path))

    assert await trail(app, chief, since=since.isoformat()) == [
        ("end_user_sessions", "succeeded", "chief", "alice"),
        ("end_other_sessions", "succeeded", "alice", "alice"),
        ("end_session", "succeeded", "alice", "alice"),
    ]


@pytest.mark.promise("G2", "Z10")
async def test_what_was_in_vain_or_changed_nothing_leaves_no_event(app: RunningApp, chief: httpx.AsyncClient) -> None:
    await app.add_user("admin", Role.ADMIN)
    before = await page(app, chief)

    for path, username in (("grant", "nobody"), ("grant", "admin"), ("reactivate", "admin")):
        await chief.patch(f"{USERS}{path}", json={"username": username})
    await chief.post(USERS, json={"username": "admin", "password": PASSWORD})
    await chief.delete(f"{USERS}admin/sessions")
    await chief.delete(SESSIONS)

    assert await page(app, chief) == before


@pytest.mark.promise("G1")
@pytest.mark.parametrize(
    ("username", "target"), [("alice", "alice"), ("ALICE", "alice"), ("nobody", "nobody"), ("no name at all", None)]
)
async def test_a_failed_login_appears(
    app: RunningApp, chief: httpx.AsyncClient, username: str, target: str | None
) -> None:
    await app.add_user("alice")

    await try_log_in(await client_from(app, "192.0.2.66"), username, "wrong " + PASSWORD)

    body = await page(app, chief)
    event = body["events"][0]
    summary = (event["action"], event["outcome"], event["actor"], event["target"], event["ip"])
    assert summary == ("log_in", "failed", None, target, "192.0.2.66")
    assert PASSWORD not in str(body)


@pytest.mark.promise("G1", "G4")
async def test_a_failed_change_of_password_appears_with_the_caller(app: RunningApp, chief: httpx.AsyncClient) -> None:
    body = {"username": "alice", "password": "a whole new sentence", "current_password": "wrong"}
    alice = await app.logged_in("alice")

    await alice.patch(f"{USERS}change_password", json=body)

    assert await trail(app, chief, action="change_password") == [("change_password", "failed", "alice", "alice")]


@pytest.mark.promise("G4")
async def test_a_refused_act_appears_with_where_it_came_from(app: RunningApp, chief: httpx.AsyncClient) -> None:
    await app.add_user("mallory")
    mallory = await client_from(app, "192.0.2.66")
    assert_done(await try_log_in(mallory, "mallory"))

    assert_problem(await mallory.patch(f"{USERS}grant", json={"username": "Mallory"}), "forbidden")
    answer = await mallory.get(USERS)

    listed = (await page(app, chief, action="list_users", actor="mallory"))["events"]
    assert [(event["ip"], event["request_id"]) for event in listed] == [
        ("192.0.2.66", answer.headers["x-request-id"]),
    ]
    assert await trail(app, chief, actor="mallory") == [
        ("list_users", "refused", "mallory", None),
        ("grant_admin", "refused", "mallory", "mallory"),
        ("log_in", "succeeded", "mallory", "mallory"),
    ]


@pytest.mark.promise("G4")
async def test_neither_a_cross_site_request_nor_a_password_to_be_changed_is_a_refused_act(
    app: RunningApp, chief: httpx.AsyncClient
) -> None:
    await chief.post(USERS, json={"username": "admin", "password": PASSWORD, "role": "admin"})
    admin = await app.log_in("admin")
    before = await page(app, chief)

    answers = [
        await admin.get(USERS),
        await chief.patch(f"{USERS}grant", json={"username": "admin"}, headers={"Sec-Fetch-Site": "cross-site"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert await page(app, chief) == before


@pytest.mark.promise("G4")
async def test_throttled_logins_of_a_minute_are_one_event_that_the_address_finds(
    app: RunningApp, chief: httpx.AsyncClient
) -> None:
    guesser = await client_from(app, "2001:db8:1:2:3:4:5:6")
    for _ in range(5):
        assert_problem(await try_log_in(guesser, password="wrong " + PASSWORD), "invalid-credentials")
    for _ in range(3):
        assert_problem(await try_log_in(guesser), "too-many-attempts")

    address = "2001:db8:1:2::"
    [event] = (await page(app, chief, subject=address))["events"]
    assert (event["action"], event["outcome"], event["actor"], event["target"]) == ("log_in", "throttled", None, None)
    assert event["subject"] == {"kind": "attempts", "id": address, "label": "3 attempts"}
    assert event["ip"] == address
