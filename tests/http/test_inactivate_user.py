from datetime import timedelta

import pytest

from gatehouse.accounts.domain.role import Role
from tests.conftest import LOGIN, House
from tests.fakes import PASSWORD
from tests.http.answers import USERNAME_RULE, account_of, assert_done, assert_problem, rfc3339

INACTIVATE = "/api/v1/users/inactivate"
ME = "/api/v1/account/me"


@pytest.mark.promise("S8")
async def test_an_inactivated_user_is_out_at_the_next_request(house: House) -> None:
    admin = await house.logged_in("admin", Role.ADMIN)
    alice = await house.logged_in("alice")
    assert (await alice.get(ME)).status_code == 200

    answer = await admin.patch(INACTIVATE, json={"username": "alice"})

    assert answer.status_code == 204
    assert (await alice.get(ME)).status_code == 401


@pytest.mark.parametrize(
    ("caller", "role"), [(Role.ADMIN, Role.USER), (Role.SUPER_ADMIN, Role.USER), (Role.SUPER_ADMIN, Role.ADMIN)]
)
async def test_admins_inactivate_their_subordinates_and_nothing_else_changes(
    house: House, caller: Role, role: Role
) -> None:
    alice = await house.add_user("alice", role)
    admin = await house.logged_in("admin", caller)
    house.clock.advance(timedelta(minutes=1))

    assert_done(await admin.patch(INACTIVATE, json={"username": "ALICE"}))

    expected = {**account_of(alice), "is_active": False, "updated_at": rfc3339(house.clock.now())}
    assert (await admin.get("/api/v1/users/alice")).json() == expected


@pytest.mark.promise("S8")
async def test_an_inactive_user_does_not_log_in(house: House) -> None:
    admin = await house.logged_in("admin", Role.ADMIN)
    await house.add_user("alice")

    await admin.patch(INACTIVATE, json={"username": "alice"})

    answer = await (await house.client()).post(LOGIN, json={"username": "alice", "password": PASSWORD})
    assert_problem(answer, "invalid-credentials")


async def test_other_users_go_on(house: House) -> None:
    admin, bobby = await house.logged_in("admin", Role.ADMIN), await house.logged_in("bobby")
    await house.add_user("alice")

    await admin.patch(INACTIVATE, json={"username": "alice"})

    assert (await bobby.get(ME)).status_code == 200


@pytest.mark.promise("Z10")
async def test_a_repeat_changes_nothing(house: House) -> None:
    alice = await house.add_user("alice", is_active=False)
    admin = await house.logged_in("admin", Role.ADMIN)
    house.clock.advance(timedelta(minutes=1))

    assert_done(await admin.patch(INACTIVATE, json={"username": "alice"}))

    assert (await admin.get("/api/v1/users/alice")).json() == account_of(alice)


@pytest.mark.promise("Z2")
@pytest.mark.parametrize("role", Role)
async def test_nobody_inactivates_themselves(house: House, role: Role) -> None:
    client = await house.logged_in("alice", role)

    assert_problem(await client.patch(INACTIVATE, json={"username": "alice"}), "forbidden")

    assert (await client.get(ME)).json()["is_active"] is True


async def test_an_unknown_user_is_not_found(house: House) -> None:
    admin = await house.logged_in("admin", Role.ADMIN)

    assert_problem(await admin.patch(INACTIVATE, json={"username": "nobody"}), "user-not-found")


async def test_what_cannot_be_a_username_is_refused(house: House) -> None:
    admin = await house.logged_in("admin", Role.ADMIN)

    answer = await admin.patch(INACTIVATE, json={"username": "a b"})

    assert_problem(answer, "invalid-input", ("username", USERNAME_RULE))


async def test_strangers_inactivate_nobody(house: House) -> None:
    answer = await (await house.client()).patch(INACTIVATE, json={"username": "alice"})

    assert_problem(answer, "unauthenticated")
