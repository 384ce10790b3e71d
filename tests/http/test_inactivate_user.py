from datetime import timedelta

import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.answers import USERNAME_RULE, account_of, assert_done, assert_problem, rfc3339
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import LOGIN, RunningApp

INACTIVATE = "/api/v1/users/inactivate"
ME = "/api/v1/account/me"


@pytest.mark.promise("S8")
async def test_an_inactivated_user_is_out_at_the_next_request(app: RunningApp) -> None:
    admin = await app.logged_in("admin", Role.ADMIN)
    alice = await app.logged_in("alice")
    assert (await alice.get(ME)).status_code == 200

    answer = await admin.patch(INACTIVATE, json={"username": "alice"})

    assert answer.status_code == 204
    assert (await alice.get(ME)).status_code == 401


@pytest.mark.parametrize(
    ("caller", "role"), [(Role.ADMIN, Role.USER), (Role.SUPER_ADMIN, Role.USER), (Role.SUPER_ADMIN, Role.ADMIN)]
)
async def test_admins_inactivate_their_subordinates_and_nothing_else_changes(
    app: RunningApp, caller: Role, role: Role
) -> None:
    alice = await app.add_user("alice", role)
    admin = await app.logged_in("admin", caller)
    app.clock.advance(timedelta(minutes=1))

    assert_done(await admin.patch(INACTIVATE, json={"username": "ALICE"}))

    expected = {**account_of(alice), "is_active": False, "updated_at": rfc3339(app.clock.now())}
    assert (await admin.get("/api/v1/users/alice")).json() == expected


@pytest.mark.promise("S8")
async def test_an_inactive_user_does_not_log_in(app: RunningApp) -> None:
    admin = await app.logged_in("admin", Role.ADMIN)
    await app.add_user("alice")

    await admin.patch(INACTIVATE, json={"username": "alice"})

    answer = await (await app.client()).post(LOGIN, json={"username": "alice", "password": PASSWORD})
    assert_problem(answer, "invalid-credentials")


async def test_other_users_go_on(app: RunningApp) -> None:
    admin, bobby = await app.logged_in("admin", Role.ADMIN), await app.logged_in("bobby")
    await app.add_user("alice")

    await admin.patch(INACTIVATE, json={"username": "alice"})

    assert (await bobby.get(ME)).status_code == 200


@pytest.mark.promise("Z10")
async def test_a_repeat_changes_nothing(app: RunningApp) -> None:
    alice = await app.add_user("alice", is_active=False)
    admin = await app.logged_in("admin", Role.ADMIN)
    app.clock.advance(timedelta(minutes=1))

    assert_done(await admin.patch(INACTIVATE, json={"username": "alice"}))

    assert (await admin.get("/api/v1/users/alice")).json() == account_of(alice)


@pytest.mark.promise("Z2")
@pytest.mark.parametrize("role", Role)
async def test_nobody_inactivates_themselves(app: RunningApp, role: Role) -> None:
    client = await app.logged_in("alice", role)

    assert_problem(await client.patch(INACTIVATE, json={"username": "alice"}), "forbidden")

    assert (await client.get(ME)).json()["is_active"] is True


async def test_an_unknown_user_is_not_found(app: RunningApp) -> None:
    admin = await app.logged_in("admin", Role.ADMIN)

    assert_problem(await admin.patch(INACTIVATE, json={"username": "nobody"}), "user-not-found")


async def test_what_cannot_be_a_username_is_refused(app: RunningApp) -> None:
    admin = await app.logged_in("admin", Role.ADMIN)

    answer = await admin.patch(INACTIVATE, json={"username": "a b"})

    assert_problem(answer, "invalid-input", ("username", USERNAME_RULE))


async def test_strangers_inactivate_nobody(app: RunningApp) -> None:
    answer = await (await app.client()).patch(INACTIVATE, json={"username": "alice"})

    assert_problem(answer, "unauthenticated")
