from datetime import timedelta

import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.answers import USERNAME_RULE, account_of, assert_done, assert_problem, rfc3339
from gatehouse.testing.running_app import RunningApp

GRANT = "/api/v1/users/grant"
REVOKE = "/api/v1/users/revoke"
ME = "/api/v1/account/me"
USERS = "/api/v1/users/"
CHANGES = [(GRANT, Role.USER, Role.ADMIN), (REVOKE, Role.ADMIN, Role.USER)]


@pytest.mark.parametrize(("call", "before", "after"), CHANGES)
@pytest.mark.parametrize("is_active", [True, False])
async def test_a_super_admin_changes_the_role_and_nothing_else(
    app: RunningApp, call: str, before: Role, after: Role, *, is_active: bool
) -> None:
    alice = await app.add_user("alice", before, is_active=is_active)
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    app.clock.advance(timedelta(minutes=1))

    assert_done(await chief.patch(call, json={"username": "ALICE"}))

    expected = {**account_of(alice), "role": after.value, "updated_at": rfc3339(app.clock.now())}
    assert (await chief.get(f"{USERS}alice")).json() == expected


@pytest.mark.promise("Z10")
@pytest.mark.parametrize(("call", "role"), [(GRANT, Role.ADMIN), (REVOKE, Role.USER)])
async def test_a_repeat_changes_nothing(app: RunningApp, call: str, role: Role) -> None:
    alice = await app.add_user("alice", role)
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    app.clock.advance(timedelta(minutes=1))

    assert_done(await chief.patch(call, json={"username": "alice"}))

    assert (await chief.get(f"{USERS}alice")).json() == account_of(alice)


@pytest.mark.promise("S10", "S18")
async def test_a_new_admin_is_logged_out_everywhere_and_logs_in_as_one(app: RunningApp) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    here, there = await app.logged_in("alice"), await app.log_in("alice")
    someone_else = await app.logged_in("bobby")

    await chief.patch(GRANT, json={"username": "alice"})

    assert_problem(await here.get(USERS), "unauthenticated")
    assert_problem(await there.get(USERS), "unauthenticated")
    assert (await someone_else.get(ME)).status_code == 200
    assert (await (await app.log_in("alice")).get(USERS)).status_code == 200


@pytest.mark.promise("S18", "Z10")
async def test_a_repeated_grant_logs_nobody_out(app: RunningApp) -> None:
    chief, admin = await app.logged_in("chief", Role.SUPER_ADMIN), await app.logged_in("admin", Role.ADMIN)

    assert_done(await chief.patch(GRANT, json={"username": "admin"}))

    assert (await admin.get(ME)).status_code == 200


@pytest.mark.promise("S10")
async def test_a_former_admin_is_none_at_the_very_next_request(app: RunningApp) -> None:
    chief, alice = await app.logged_in("chief", Role.SUPER_ADMIN), await app.logged_in("alice", Role.ADMIN)
    assert (await alice.get(USERS)).status_code == 200

    await chief.patch(REVOKE, json={"username": "alice"})

    assert_problem(await alice.get(USERS), "forbidden")
    assert (await alice.get(ME)).status_code == 200


@pytest.mark.promise("Z8")
@pytest.mark.parametrize("call", [GRANT, REVOKE])
@pytest.mark.parametrize("caller", [Role.USER, Role.ADMIN])
@pytest.mark.parametrize("username", ["alice", "admin", "chief", "mallory", "nobody"])
async def test_only_super_admins_do_it(app: RunningApp, call: str, caller: Role, username: str) -> None:
    await app.add_user("alice")
    await app.add_user("admin", Role.ADMIN)
    await app.add_user("chief", Role.SUPER_ADMIN)

    answer = await (await app.logged_in("mallory", caller)).patch(call, json={"username": username})

    assert_problem(answer, "forbidden")


@pytest.mark.promise("Z2", "Z3")
@pytest.mark.parametrize("call", [GRANT, REVOKE])
@pytest.mark.parametrize("username", ["chief", "equal"])
async def test_no_super_admin_is_changed_not_even_oneself(app: RunningApp, call: str, username: str) -> None:
    equal = await app.add_user("equal", Role.SUPER_ADMIN)
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)

    assert_problem(await chief.patch(call, json={"username": username}), "forbidden")

    assert (await chief.get(f"{USERS}equal")).json() == account_of(equal)


@pytest.mark.parametrize("call", [GRANT, REVOKE])
async def test_an_unknown_user_is_not_found(app: RunningApp, call: str) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)

    assert_problem(await chief.patch(call, json={"username": "nobody"}), "user-not-found")


@pytest.mark.parametrize("call", [GRANT, REVOKE])
async def test_what_cannot_be_a_username_is_refused(app: RunningApp, call: str) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)

    assert_problem(await chief.patch(call, json={"username": "a b"}), "invalid-input", ("username", USERNAME_RULE))


@pytest.mark.parametrize("call", [GRANT, REVOKE])
async def test_strangers_change_nothing(app: RunningApp, call: str) -> None:
    assert_problem(await (await app.client()).patch(call, json={"username": "alice"}), "unauthenticated")
