"""With a password that an admin chose, a user may only change it and log out."""

import httpx
import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.answers import assert_done, assert_problem
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import RunningApp, try_log_in
from gatehouse.testing.under_test import all_calls

pytestmark = pytest.mark.promise("P11")

USERS = "/api/v1/users/"
CHANGE = f"{USERS}change_password"
LOGOUT = "/api/v1/account/logout"
ME = "/api/v1/account/me"
NEW = "a whole new sentence to remember"
STILL_OPEN = {("patch", CHANGE), ("delete", LOGOUT)}


async def newcomer(app: RunningApp, role: Role = Role.USER) -> httpx.AsyncClient:
    """A user who is logged in with a password that a super admin chose."""
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    body = {"username": "alice", "password": PASSWORD, "role": role.value}
    assert (await chief.post(USERS, json=body)).status_code == 201
    return await app.log_in("alice")


async def change(client: httpx.AsyncClient, new: str = NEW, current: str = PASSWORD) -> httpx.Response:
    return await client.patch(CHANGE, json={"username": "alice", "password": new, "current_password": current})


@pytest.mark.parametrize("role", [Role.USER, Role.ADMIN])
async def test_everything_else_is_refused_whatever_is_asked(app: RunningApp, role: Role) -> None:
    client = await newcomer(app, role)
    calls = [
        call
        for call in all_calls()
        if call.open_to not in ("everyone", "strangers") and (call.method.lower(), call.path) not in STILL_OPEN
    ]
    assert len(calls) > 12

    for call in calls:
        url = call.url("chief")
        assert_problem(await client.request(call.method, url), "password-change-required")
        assert_problem(await client.request(call.method, url, json={"x": 1}), "password-change-required")


@pytest.mark.parametrize("role", [Role.USER, Role.ADMIN])
async def test_changing_it_opens_everything_at_once_and_for_good(app: RunningApp, role: Role) -> None:
    client = await newcomer(app, role)

    assert_done(await change(client))

    assert (await client.get(ME)).status_code == 200
    again = await app.log_in("alice", NEW)
    assert (await again.get(ME)).json()["role"] == role


@pytest.mark.parametrize(
    ("new", "current", "problem"),
    [(NEW, "wrong " + PASSWORD, "invalid-credentials"), ("short", PASSWORD, "invalid-input")],
)
async def test_a_change_that_fails_opens_nothing(app: RunningApp, new: str, current: str, problem: str) -> None:
    client = await newcomer(app)

    assert (await change(client, new, current)).json()["type"] == f"/problems/{problem}"

    assert_problem(await client.get(ME), "password-change-required")


async def test_keeping_the_admins_password_is_no_change(app: RunningApp) -> None:
    client = await newcomer(app)

    await change(client, PASSWORD)

    assert_problem(await client.get(ME), "password-change-required")


async def test_an_admins_own_must_be_changed_before_a_subordinates(app: RunningApp) -> None:
    client = await newcomer(app, Role.ADMIN)
    await app.add_user("bobby")

    answer = await client.patch(CHANGE, json={"username": "bobby", "password": NEW})

    assert_problem(answer, "password-change-required")
    await app.log_in("bobby")


async def test_logging_out_stays_possible(app: RunningApp) -> None:
    client = await newcomer(app)

    assert_done(await client.delete(LOGOUT))

    assert_problem(await client.get(ME), "unauthenticated")


async def test_a_password_that_an_admin_sets_later_must_be_changed_too(app: RunningApp) -> None:
    await app.add_user("alice")
    admin = await app.logged_in("admin", Role.ADMIN)
    assert_done(await admin.patch(CHANGE, json={"username": "alice", "password": NEW}))

    client = await app.log_in("alice", NEW)

    assert_problem(await client.get(ME), "password-change-required")
    assert_done(await change(client, PASSWORD, NEW))
    assert (await client.get(ME)).status_code == 200


@pytest.mark.parametrize("path", ["inactivate", "grant"])
async def test_what_else_admins_do_does_not_lift_it(app: RunningApp, path: str) -> None:
    await newcomer(app)
    boss = await app.log_in("chief")

    assert_done(await boss.patch(f"{USERS}{path}", json={"username": "alice"}))
    assert_done(await boss.patch(f"{USERS}reactivate", json={"username": "alice"}))

    assert_problem(await (await app.log_in("alice")).get(ME), "password-change-required")


async def test_whoever_must_change_it_is_logged_in_already(app: RunningApp) -> None:
    assert_problem(await try_log_in(await newcomer(app)), "already-authenticated")


async def test_a_password_of_ones_own_is_never_asked_for(app: RunningApp) -> None:
    client = await app.client()
    await client.post("/api/v1/account/signup", json={"username": "alice", "password": PASSWORD})

    assert (await (await app.log_in("alice")).get(ME)).status_code == 200
