import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.answers import USERNAME_RULE, account_of, assert_problem
from gatehouse.testing.running_app import RunningApp

USERS = "/api/v1/users"


@pytest.mark.promise("Z9")
@pytest.mark.parametrize("caller", [Role.ADMIN, Role.SUPER_ADMIN])
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("is_active", [True, False])
async def test_admins_see_any_account(app: RunningApp, caller: Role, role: Role, *, is_active: bool) -> None:
    alice = await app.add_user("alice", role, is_active=is_active)

    answer = await (await app.logged_in("admin", caller)).get(f"{USERS}/alice")

    assert (answer.status_code, answer.json()) == (200, account_of(alice))


async def test_the_username_counts_in_any_case(app: RunningApp) -> None:
    alice = await app.add_user("alice")

    answer = await (await app.logged_in("admin", Role.ADMIN)).get(f"{USERS}/ALICE")

    assert answer.json() == account_of(alice)


@pytest.mark.parametrize("username", ["inactivate", "grant", "change_password"])
async def test_a_user_named_like_a_call_is_found(app: RunningApp, username: str) -> None:
    user = await app.add_user(username)

    answer = await (await app.logged_in("admin", Role.ADMIN)).get(f"{USERS}/{username}")

    assert answer.json() == account_of(user)


async def test_an_unknown_name_is_not_found(app: RunningApp) -> None:
    answer = await (await app.logged_in("admin", Role.ADMIN)).get(f"{USERS}/nobody")

    assert_problem(answer, "user-not-found")


@pytest.mark.parametrize("username", ["abc", "a%00lice", "al%20ice", "%D0%B0lice", "a" * 2000, "%ED%A0%80alice"])
async def test_what_cannot_be_a_username_is_refused(app: RunningApp, username: str) -> None:
    answer = await (await app.logged_in("admin", Role.ADMIN)).get(f"{USERS}/{username}")

    assert_problem(answer, "invalid-input", ("username", USERNAME_RULE))


@pytest.mark.promise("Z8")
@pytest.mark.parametrize("username", ["alice", "mallory", "nobody", "abc"])
async def test_plain_users_see_nobody_here(app: RunningApp, username: str) -> None:
    await app.add_user("alice")

    answer = await (await app.logged_in("mallory")).get(f"{USERS}/{username}")

    assert_problem(answer, "forbidden")


async def test_strangers_see_nobody(app: RunningApp) -> None:
    assert_problem(await (await app.client()).get(f"{USERS}/alice"), "unauthenticated")
