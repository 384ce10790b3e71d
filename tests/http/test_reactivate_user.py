from datetime import timedelta

import pytest

from gatehouse.accounts.domain.role import Role
from tests.conftest import House
from tests.http.answers import USERNAME_RULE, account_of, assert_done, assert_problem, rfc3339
from tests.http.houses import cookie, token_of

INACTIVATE = "/api/v1/users/inactivate"
REACTIVATE = "/api/v1/users/reactivate"
ME = "/api/v1/account/me"


@pytest.mark.parametrize(
    ("caller", "role"), [(Role.ADMIN, Role.USER), (Role.SUPER_ADMIN, Role.USER), (Role.SUPER_ADMIN, Role.ADMIN)]
)
async def test_a_reactivated_user_logs_in_as_before(house: House, caller: Role, role: Role) -> None:
    alice = await house.add_user("alice", role, is_active=False)
    admin = await house.logged_in("admin", caller)
    house.clock.advance(timedelta(minutes=1))

    assert_done(await admin.patch(REACTIVATE, json={"username": "Alice"}))

    expected = {**account_of(alice), "is_active": True, "updated_at": rfc3339(house.clock.now())}
    assert (await admin.get("/api/v1/users/alice")).json() == expected
    house.clock.advance(-timedelta(minutes=1))  # a token issued in the future is none
    assert (await (await house.log_in("alice")).get(ME)).json() == expected


@pytest.mark.promise("S8")
async def test_sessions_that_inactivation_ended_stay_ended(house: House) -> None:
    admin = await house.logged_in("admin", Role.ADMIN)
    alice = await house.logged_in("alice")
    token = token_of(alice)

    await admin.patch(INACTIVATE, json={"username": "alice"})
    await admin.patch(REACTIVATE, json={"username": "alice"})

    assert_problem(await alice.get(ME, headers=cookie(token)), "unauthenticated")


@pytest.mark.promise("Z10")
async def test_a_repeat_changes_nothing(house: House) -> None:
    user = await house.add_user("alice")
    alice = await house.log_in("alice")
    admin = await house.logged_in("admin", Role.ADMIN)
    house.clock.advance(timedelta(minutes=1))

    assert_done(await admin.patch(REACTIVATE, json={"username": "alice"}))

    assert (await alice.get(ME)).json() == account_of(user)


@pytest.mark.promise("Z2")
@pytest.mark.parametrize(
    ("caller", "role"), [(Role.USER, Role.USER), (Role.ADMIN, Role.ADMIN), (Role.SUPER_ADMIN, Role.SUPER_ADMIN)]
)
async def test_nobody_reactivates_an_equal(house: House, caller: Role, role: Role) -> None:
    await house.add_user("alice", role, is_active=False)

    answer = await (await house.logged_in("mallory", caller)).patch(REACTIVATE, json={"username": "alice"})

    assert_problem(answer, "forbidden")


async def test_an_unknown_user_is_not_found(house: House) -> None:
    admin = await house.logged_in("admin", Role.ADMIN)

    assert_problem(await admin.patch(REACTIVATE, json={"username": "nobody"}), "user-not-found")


async def test_what_cannot_be_a_username_is_refused(house: House) -> None:
    admin = await house.logged_in("admin", Role.ADMIN)

    answer = await admin.patch(REACTIVATE, json={"username": "a b"})

    assert_problem(answer, "invalid-input", ("username", USERNAME_RULE))


async def test_strangers_reactivate_nobody(house: House) -> None:
    answer = await (await house.client()).patch(REACTIVATE, json={"username": "alice"})

    assert_problem(answer, "unauthenticated")
