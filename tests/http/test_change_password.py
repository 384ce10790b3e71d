from datetime import timedelta

import httpx
import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.answers import PASSWORD_RULE, account_of, assert_done, assert_problem, rfc3339
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import LOGIN, RunningApp

CHANGE = "/api/v1/users/change_password"
ME = "/api/v1/account/me"
SESSIONS = "/api/v1/account/sessions"
NEW = "a whole new sentence to remember"


async def logs_in(app: RunningApp, username: str, password: str) -> bool:
    answer = await (await app.client()).post(LOGIN, json={"username": username, "password": password})
    assert answer.status_code in (204, 401)
    return answer.status_code == 204


async def change_own(client: httpx.AsyncClient, current: str | None = PASSWORD, new: str = NEW) -> httpx.Response:
    return await client.patch(CHANGE, json={"username": "alice", "password": new, "current_password": current})


@pytest.mark.promise("P10")
@pytest.mark.parametrize("role", Role)
async def test_the_new_password_replaces_the_old_one(app: RunningApp, role: Role) -> None:
    client = await app.logged_in("alice", role)

    assert_done(await change_own(client))

    assert not await logs_in(app, "alice", PASSWORD)
    assert await logs_in(app, "alice", NEW)


@pytest.mark.promise("S9")
async def test_this_session_stays_and_all_others_of_the_user_end(app: RunningApp) -> None:
    here, there, elsewhere = await app.logged_in("alice"), await app.log_in("alice"), await app.log_in("alice")
    someone_else = await app.logged_in("bobby")

    await change_own(here)

    assert (await here.get(ME)).status_code == 200
    assert (await someone_else.get(ME)).status_code == 200
    assert_problem(await there.get(ME), "unauthenticated")
    assert_problem(await elsewhere.get(ME), "unauthenticated")


@pytest.mark.promise("S17")
async def test_a_copy_of_the_cookie_opens_nothing_any_more(app: RunningApp) -> None:
    client, thief = await app.logged_in("alice"), await app.client()
    thief.cookies.update(client.cookies)
    assert (await thief.get(ME)).status_code == 200

    await change_own(client)

    assert_problem(await thief.get(ME), "unauthenticated")
    assert (await client.get(ME)).status_code == 200


@pytest.mark.promise("S17")
async def test_the_session_is_the_same_one_and_ends_when_it_would_have_ended(app: RunningApp) -> None:
    await app.add_user("alice")
    client = await app.client()
    log_in = await client.post(LOGIN, json={"username": "alice", "password": PASSWORD})
    before = (await client.get(SESSIONS)).json()
    app.clock.advance(timedelta(seconds=1))

    answer = await change_own(client)

    assert (await client.get(SESSIONS)).json() == before
    given, renewed = log_in.headers["set-cookie"], answer.headers["set-cookie"]
    assert given.partition(";")[0] != renewed.partition(";")[0]
    assert given.partition(";")[2] == renewed.partition(";")[2]


@pytest.mark.promise("S5")
async def test_whoever_never_got_the_answer_logs_in_with_the_new_password(app: RunningApp) -> None:
    client = await app.logged_in("alice")
    old_cookies = dict(client.cookies)
    await change_own(client)

    client.cookies.clear()
    client.cookies.update(old_cookies)

    assert_problem(await client.get(ME), "unauthenticated")
    assert await logs_in(app, "alice", NEW)


@pytest.mark.promise("S17")
async def test_an_admin_who_changes_a_subordinates_keeps_the_cookie(app: RunningApp) -> None:
    await app.add_user("alice")
    admin = await app.logged_in("admin", Role.ADMIN)

    answer = await admin.patch(CHANGE, json={"username": "alice", "password": NEW})

    assert_done(answer)
    assert "set-cookie" not in answer.headers
    assert (await admin.get(ME)).status_code == 200


async def test_the_account_shows_when_it_was_changed(app: RunningApp) -> None:
    alice = await app.add_user("alice")
    client = await app.log_in("alice")
    logged_in_at = app.clock.now()
    app.clock.advance(timedelta(minutes=1))

    await change_own(client)

    expected = {**account_of(alice, last_login_at=logged_in_at), "updated_at": rfc3339(app.clock.now())}
    assert (await client.get(ME)).json() == expected


async def test_ones_own_name_counts_in_any_case(app: RunningApp) -> None:
    client = await app.logged_in("alice")

    answer = await client.patch(CHANGE, json={"username": "ALICE", "password": NEW, "current_password": PASSWORD})

    assert_done(answer)


@pytest.mark.promise("P10")
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("current", ["wrong " + PASSWORD, "", NEW])
async def test_a_wrong_current_password_changes_nothing(app: RunningApp, role: Role, current: str) -> None:
    client = await app.logged_in("alice", role)
    other = await app.log_in("alice")

    assert_problem(await change_own(client, current), "invalid-credentials")

    assert (await other.get(ME)).status_code == 200
    assert await logs_in(app, "alice", PASSWORD)


@pytest.mark.promise("P10")
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("body", [{}, {"current_password": None}])
async def test_nobody_changes_their_own_without_the_current_one(
    app: RunningApp, role: Role, body: dict[str, None]
) -> None:
    client = await app.logged_in("alice", role)

    answer = await client.patch(CHANGE, json={"username": "alice", "password": NEW, **body})

    problem = ("current_password", "Give your current password to change it.")
    assert_problem(answer, "invalid-input", problem)
    assert await logs_in(app, "alice", PASSWORD)


@pytest.mark.parametrize("password", ["", "x" * 14, "x" * 129])
async def test_a_new_password_keeps_the_rules(app: RunningApp, password: str) -> None:
    client = await app.logged_in("alice")

    assert_problem(await change_own(client, new=password), "invalid-input", ("password", PASSWORD_RULE))


@pytest.mark.promise("S9")
@pytest.mark.parametrize(
    ("caller", "role"), [(Role.ADMIN, Role.USER), (Role.SUPER_ADMIN, Role.USER), (Role.SUPER_ADMIN, Role.ADMIN)]
)
async def test_admins_set_a_subordinates_which_ends_all_of_their_sessions(
    app: RunningApp, caller: Role, role: Role
) -> None:
    admin = await app.logged_in("admin", caller)
    here, there = await app.logged_in("alice", role), await app.log_in("alice")

    assert_done(await admin.patch(CHANGE, json={"username": "alice", "password": NEW}))

    assert_problem(await here.get(ME), "unauthenticated")
    assert_problem(await there.get(ME), "unauthenticated")
    assert (await admin.get(ME)).status_code == 200
    assert not await logs_in(app, "alice", PASSWORD)
    assert await logs_in(app, "alice", NEW)


async def test_an_inactive_subordinate_gets_a_password_but_no_way_in(app: RunningApp) -> None:
    admin = await app.logged_in("admin", Role.ADMIN)
    await app.add_user("alice", is_active=False)

    assert_done(await admin.patch(CHANGE, json={"username": "alice", "password": NEW}))

    assert not await logs_in(app, "alice", NEW)


@pytest.mark.promise("Z2")
@pytest.mark.parametrize(
    ("caller", "role"),
    [
        (Role.USER, Role.USER),
        (Role.USER, Role.ADMIN),
        (Role.ADMIN, Role.ADMIN),
        (Role.ADMIN, Role.SUPER_ADMIN),
        (Role.SUPER_ADMIN, Role.SUPER_ADMIN),
    ],
)
@pytest.mark.parametrize("body", [{}, {"current_password": PASSWORD}])
async def test_nobody_sets_an_equals_or_a_highers(
    app: RunningApp, caller: Role, role: Role, body: dict[str, str]
) -> None:
    mallory = await app.logged_in("mallory", caller)
    alice = await app.logged_in("alice", role)

    answer = await mallory.patch(CHANGE, json={"username": "alice", "password": NEW, **body})

    assert_problem(answer, "forbidden")
    assert (await alice.get(ME)).status_code == 200
    assert await logs_in(app, "alice", PASSWORD)


@pytest.mark.promise("Z8")
async def test_a_plain_user_is_not_told_whether_the_other_exists(app: RunningApp) -> None:
    mallory = await app.logged_in("mallory")

    assert_problem(await mallory.patch(CHANGE, json={"username": "nobody", "password": NEW}), "forbidden")


async def test_an_unknown_user_is_not_found(app: RunningApp) -> None:
    admin = await app.logged_in("admin", Role.ADMIN)

    assert_problem(await admin.patch(CHANGE, json={"username": "nobody", "password": NEW}), "user-not-found")


async def test_strangers_change_nothing(app: RunningApp) -> None:
    assert_problem(await change_own(await app.client()), "unauthenticated")
