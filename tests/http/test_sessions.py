"""Sessions as their owners see and end them, and as admins do."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from gatehouse.accounts.application.ports import SessionTokens
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.settings import SessionSettings
from gatehouse.common.settings import Settings
from gatehouse.testing.answers import assert_done, assert_problem, rfc3339
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import RunningApp, client_from, cookie, token_of, try_log_in

SESSIONS = "/api/v1/account/sessions"
ME = "/api/v1/account/me"
ALICES = "/api/v1/users/alice/sessions"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
MINUTE = timedelta(minutes=1)


async def log_in_from(app: RunningApp, ip: str, agent: str, username: str = "alice") -> httpx.AsyncClient:
    client = await client_from(app, ip, **{"user-agent": agent})
    assert_done(await try_log_in(client, username))
    return client


async def list_sessions(client: httpx.AsyncClient, path: str = SESSIONS) -> list[dict[str, Any]]:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"sessions"}
    sessions: list[dict[str, Any]] = answer.json()["sessions"]
    return sessions


async def id_of(client: httpx.AsyncClient) -> str:
    [current] = [session["id"] for session in await list_sessions(client) if session["is_current"]]
    return str(current)


def expected_session(app: RunningApp, ip: str, agent: str | None, *, is_current: bool) -> dict[str, object]:
    """What the list shows of a session that was opened just now, without its id."""
    now = app.clock.now()
    return {
        "created_at": rfc3339(now),
        "last_seen_at": rfc3339(now),
        "expires_at": rfc3339(now + timedelta(hours=12)),
        "ip": ip,
        "user_agent": agent,
        "device": "Firefox on Windows" if agent == FIREFOX else None,
        "is_current": is_current,
    }


async def test_ones_own_sessions_are_listed_newest_first_with_where_they_came_from(app: RunningApp) -> None:
    await app.add_user("alice")
    await app.logged_in("bobby")
    await log_in_from(app, "192.0.2.1", FIREFOX)
    old = expected_session(app, "192.0.2.1", FIREFOX, is_current=False)
    app.clock.advance(MINUTE)
    client = await log_in_from(app, "2001:db8::7", "a new browser")
    new = expected_session(app, "2001:db8::7", "a new browser", is_current=True)

    sessions = await list_sessions(client)

    ids = [UUID(session.pop("id")) for session in sessions]
    assert sessions == [new, old]
    assert {session_id.version for session_id in ids} == {7}


@pytest.mark.parametrize(("agent", "stored_agent"), [("x" * 256, "x" * 256), ("x" * 8_000, "x" * 256), ("", None)])
async def test_of_a_browsers_name_the_beginning_is_kept(app: RunningApp, agent: str, stored_agent: str | None) -> None:
    await app.add_user("alice")

    [session] = await list_sessions(await log_in_from(app, "192.0.2.1", agent))

    assert session["user_agent"] == stored_agent


async def test_a_session_shows_when_it_was_last_used(app: RunningApp) -> None:
    client = await app.logged_in("alice")
    start = app.clock.now()
    app.clock.advance(5 * MINUTE)
    await client.get(ME)

    [session] = await list_sessions(client)

    assert session["created_at"] == rfc3339(start)
    assert session["last_seen_at"] == rfc3339(app.clock.now())


async def test_an_expired_session_is_not_listed(app: RunningApp) -> None:
    await app.logged_in("alice")
    app.clock.advance(timedelta(minutes=30))

    assert len(await list_sessions(await app.log_in("alice"))) == 1


@pytest.mark.promise("S2")
async def test_the_id_of_a_session_opens_nothing(app: RunningApp) -> None:
    session_id = await id_of(await app.logged_in("alice"))
    tokens, now, client = await app.container.get(SessionTokens), datetime.now(UTC), await app.client()
    token = tokens.encode(session_id, issued_at=now, expires_at=now + timedelta(hours=1))

    for guess in (session_id, UUID(session_id).hex, token):
        assert_problem(await client.get(ME, headers=cookie(guess)), "unauthenticated")


@pytest.mark.promise("S7")
async def test_one_session_ends_and_the_others_go_on(app: RunningApp) -> None:
    here, there, elsewhere = await app.logged_in("alice"), await app.log_in("alice"), await app.log_in("alice")
    token, session_id = token_of(there), await id_of(there)

    assert_done(await here.delete(f"{SESSIONS}/{session_id}"))

    assert_problem(await there.get(ME, headers=cookie(token)), "unauthenticated")
    assert len(await list_sessions(here)) == len(await list_sessions(elsewhere)) == 2
    assert_problem(await here.delete(f"{SESSIONS}/{session_id}"), "session-not-found")


async def test_the_current_session_can_be_ended_like_any_other(app: RunningApp) -> None:
    client = await app.logged_in("alice")

    assert_done(await client.delete(f"{SESSIONS}/{await id_of(client)}"))

    assert_problem(await client.get(ME), "unauthenticated")


@pytest.mark.parametrize("role", Role)
async def test_someone_elses_session_is_not_found_by_anybody(app: RunningApp, role: Role) -> None:
    alice = await app.logged_in("alice")
    mallory = await app.logged_in("mallory", role)

    answer = await mallory.delete(f"{SESSIONS}/{await id_of(alice)}")

    assert_problem(answer, "session-not-found")
    assert_problem(await mallory.delete(f"{SESSIONS}/{UUID(int=1)}"), "session-not-found")
    assert (await alice.get(ME)).status_code == 200


@pytest.mark.promise("I2", "I3")
@pytest.mark.parametrize("session_id", ["kanarienvogel", "0", "%00", "%ED%A0%80", "x" * 2000])
async def test_what_is_no_id_is_refused(app: RunningApp, session_id: str) -> None:
    answer = await (await app.logged_in("alice")).delete(f"{SESSIONS}/{session_id}")

    assert_problem(answer, "invalid-input", ("session_id", "Must be a UUID."))


@pytest.mark.promise("Z10")
async def test_all_sessions_end_but_the_current_one(app: RunningApp) -> None:
    here, there, elsewhere = await app.logged_in("alice"), await app.log_in("alice"), await app.log_in("alice")
    bobby = await app.logged_in("bobby")

    for _ in range(2):
        assert_done(await here.delete(SESSIONS))

        assert [session["is_current"] for session in await list_sessions(here)] == [True]
    assert_problem(await there.get(ME), "unauthenticated")
    assert_problem(await elsewhere.get(ME), "unauthenticated")
    assert (await bobby.get(ME)).status_code == 200


@pytest.mark.promise("S16")
async def test_beyond_the_most_a_user_may_have_the_oldest_ends(app: RunningApp, settings: Settings) -> None:
    async with run_app(settings.replace(SessionSettings(max_per_user=2))) as small:
        await app.add_user("alice")
        bobby = await small.logged_in("bobby")
        clients = []
        for _ in range(3):
            clients.append(await small.log_in("alice"))
            small.clock.advance(timedelta(seconds=1))

        assert [(await client.get(ME)).status_code for client in clients] == [401, 200, 200]
        assert len(await list_sessions(clients[-1])) == 2
        assert (await bobby.get(ME)).status_code == 200


MANAGERS = [(Role.ADMIN, Role.USER), (Role.SUPER_ADMIN, Role.USER), (Role.SUPER_ADMIN, Role.ADMIN)]
OTHERS = [(caller, role) for caller in Role for role in Role if (caller, role) not in MANAGERS]


@pytest.mark.parametrize(("caller", "role"), MANAGERS)
async def test_admins_see_a_subordinates_sessions_none_of_which_is_theirs(
    app: RunningApp, caller: Role, role: Role
) -> None:
    await app.add_user("alice", role)
    admin = await app.logged_in("admin", caller)
    await log_in_from(app, "192.0.2.1", "a browser")

    [session] = await list_sessions(admin, "/api/v1/users/ALICE/sessions")

    assert UUID(session.pop("id")).version == 7
    assert session == expected_session(app, "192.0.2.1", "a browser", is_current=False)


@pytest.mark.parametrize(("caller", "role"), MANAGERS)
async def test_admins_end_a_subordinates_sessions_who_may_log_in_again(
    app: RunningApp, caller: Role, role: Role
) -> None:
    admin = await app.logged_in("admin", caller)
    here, there = await app.logged_in("alice", role), await app.log_in("alice")

    assert_done(await admin.delete(ALICES))

    assert_problem(await here.get(ME), "unauthenticated")
    assert_problem(await there.get(ME), "unauthenticated")
    assert (await admin.get(ME)).status_code == 200
    assert_done(await admin.delete(ALICES))
    await app.log_in("alice")


@pytest.mark.promise("Z2")
@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(("caller", "role"), OTHERS)
async def test_nobody_sees_or_ends_an_equals_or_a_highers(
    app: RunningApp, method: str, caller: Role, role: Role
) -> None:
    alice = await app.logged_in("alice", role)
    mallory = await app.logged_in("mallory", caller)

    assert_problem(await mallory.request(method, ALICES), "forbidden")
    assert_problem(await mallory.request(method, "/api/v1/users/mallory/sessions"), "forbidden")

    assert (await alice.get(ME)).status_code == (await mallory.get(ME)).status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_an_unknown_user_is_not_found(app: RunningApp, method: str) -> None:
    admin = await app.logged_in("admin", Role.ADMIN)

    assert_problem(await admin.request(method, "/api/v1/users/nobody/sessions"), "user-not-found")
