from datetime import timedelta

import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.answers import USERNAME_RULE, account_of, assert_done, assert_problem, rfc3339
from gatehouse.testing.running_app import RunningApp, cookie, token_of

INACTIVATE = "/api/v1/users/inactivate"
REACTIVATE = "/api/v1/users/reactivate"
ME = "/api/v1/account/me"


@pytest.mark.parametrize(
    ("caller", "role"), [(Role.ADMIN, Role.USER), (Role.SUPER_ADMIN, Role.USER), (Role.SUPER_ADMIN, Role.ADMIN)]
)
async def test_a_reactivated_user_logs_in_as_before(app: RunningApp, caller: Role, role: Role) -> None:
    alice = await app.add_user("alice", role, is_active=False)
    admin = await app.logged_in("admin", caller)
    app.clock.advance(timedelta(minutes=1))

    assert_done(await admin.patch(REACTIVATE, json={"username": "Alice"}))

    expected = {**account_of(alice), "is_active": True, "updated_at": rfc3339(app.clock.now())}
    assert (await admin.get("/api/v1/users/alice")).json() == expected
    app.clock.advance(-timedelta(minutes=1))  # a token issued in the future is none
    me = (await (await app.log_in("alice")).get(ME)).json()
    assert me == {**expected, "last_login_at": rfc3339(app.clock.now())}


@pytest.mark.promise("S8")
async def test_sessions_that_inactivation_ended_stay_ended(app: RunningApp) -> None:
    admin = await app.logged_in("admin", Role.ADMIN)
    alice = await app.logged_in("alice")
    token = token_of(alice)

    await admin.patch(INACTIVATE, json={"username": "alice"})
    await admin.patch(REACTIVATE, json={"username": "alice"})

    assert_problem(await alice.get(ME, headers=cookie(token)), "unauthenticated")


@pytest.mark.promise("Z10")
async def test_a_repeat_changes_nothing(app: RunningApp) -> None:
    user = await app.add_user("alice")
    alice = await app.log_in("alice")
    admin = await app.logged_in("admin", Role.ADMIN)
    logged_in_at = app.clock.now()
    app.clock.advance(timedelta(minutes=1))

    assert_done(await admin.patch(REACTIVATE, json={"username": "alice"}))

    assert (await alice.get(ME)).json() == account_of(user, last_login_at=logged_in_at)


@pytest.mark.promise("Z2")
@pytest.mark.parametrize(
    ("caller", "role"), [(Role.USER, Role.USER), (Role.ADMIN, Role.ADMIN), (Role.SUPER_ADMIN, Role.SUPER_ADMIN)]
)
async def test_nobody_reactivates_an_equal(app: RunningApp, caller: Role, role: Role) -> None:
    await app.add_user("alice", role, is_active=False)

    answer = await (await app.logged_in("mallory", caller)).patch(REACTIVATE, json={"username": "alice"})

    assert_problem(answer, "forbidden")


async def test_an_unknown_user_is_not_found(app: RunningApp) -> None:
    admin = await app.logged_in("admin", Role.ADMIN)

    assert_problem(await admin.patch(REACTIVATE, json={"username": "nobody"}), "user-not-found")


async def test_what_cannot_be_a_username_is_refused(app: RunningApp) -> None:
    admin = await app.logged_in("admin", Role.ADMIN)

    answer = await admin.patch(REACTIVATE, json={"username": "a b"})

    assert_problem(answer, "invalid-input", ("username", USERNAME_RULE))


async def test_strangers_reactivate_nobody(app: RunningApp) -> None:
    answer = await (await app.client()).patch(REACTIVATE, json={"username": "alice"})

    assert_problem(answer, "unauthenticated")
