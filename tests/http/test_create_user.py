from uuid import UUID

import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.answers import PASSWORD_RULE, REQUIRED, USERNAME_RULE, assert_problem, rfc3339
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import RunningApp

USERS = "/api/v1/users/"
ROLES = "Input should be 'user' or 'admin'."


@pytest.mark.parametrize(
    ("caller", "fields", "role"),
    [
        (Role.ADMIN, {}, "user"),
        (Role.ADMIN, {"role": "user"}, "user"),
        (Role.SUPER_ADMIN, {}, "user"),
        (Role.SUPER_ADMIN, {"role": "user"}, "user"),
        (Role.SUPER_ADMIN, {"role": "admin"}, "admin"),
    ],
)
async def test_admins_create_users_and_super_admins_create_admins_too(
    app: RunningApp, caller: Role, fields: dict[str, str], role: str
) -> None:
    client = await app.logged_in("admin", caller)

    answer = await client.post(USERS, json={"username": "Alice", "password": PASSWORD, **fields})

    account = answer.json()
    now = rfc3339(app.clock.now())
    assert answer.status_code == 201
    assert UUID(account["id"]).version == 7
    assert account == {
        "id": account["id"],
        "username": "alice",
        "role": role,
        "is_active": True,
        "created_at": now,
        "updated_at": now,
        "last_login_at": None,
    }
    assert (await client.get(f"{USERS}alice")).json() == account
    await app.log_in("alice")


@pytest.mark.promise("Z2")
@pytest.mark.parametrize(("caller", "role"), [(Role.ADMIN, "admin"), (Role.USER, "user"), (Role.USER, "admin")])
async def test_nobody_creates_an_equal_or_a_higher(app: RunningApp, caller: Role, role: str) -> None:
    client = await app.logged_in("mallory", caller)

    answer = await client.post(USERS, json={"username": "alice", "password": PASSWORD, "role": role})

    assert_problem(answer, "forbidden")


@pytest.mark.promise("Z8")
async def test_a_caller_without_the_role_is_not_told_that_a_name_is_taken(app: RunningApp) -> None:
    await app.add_user("alice")

    answer = await (await app.logged_in("mallory")).post(USERS, json={"username": "alice", "password": PASSWORD})

    assert_problem(answer, "forbidden")


@pytest.mark.promise("Z3")
@pytest.mark.parametrize("caller", [Role.ADMIN, Role.SUPER_ADMIN])
@pytest.mark.parametrize("role", ["super_admin", "owner", "ADMIN", "", 1, None])
async def test_no_other_role_can_be_given(app: RunningApp, caller: Role, role: object) -> None:
    client = await app.logged_in("chief", caller)

    answer = await client.post(USERS, json={"username": "alice", "password": PASSWORD, "role": role})

    assert_problem(answer, "invalid-input", ("role", ROLES))


@pytest.mark.parametrize("username", ["alice", "ALICE", "admin"])
async def test_a_username_is_taken_in_any_case(app: RunningApp, username: str) -> None:
    await app.add_user("alice")
    client = await app.logged_in("admin", Role.ADMIN)

    answer = await client.post(USERS, json={"username": username, "password": PASSWORD})

    assert_problem(answer, "username-taken")


@pytest.mark.promise("Z9")
@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"username": "abc", "password": PASSWORD}, [("username", USERNAME_RULE)]),
        ({"username": "alice", "password": "short"}, [("password", PASSWORD_RULE)]),
        ({}, [("username", REQUIRED), ("password", REQUIRED)]),
        ({"username": "alice", "password": PASSWORD, "is_active": False}, [("body", "Holds an unknown field.")]),
    ],
)
async def test_input_that_breaks_a_rule_is_refused(
    app: RunningApp, body: dict[str, object], errors: list[tuple[str, str]]
) -> None:
    answer = await (await app.logged_in("admin", Role.ADMIN)).post(USERS, json=body)

    assert_problem(answer, "invalid-input", *errors)


async def test_strangers_create_nobody(app: RunningApp) -> None:
    answer = await (await app.client()).post(USERS, json={"username": "alice", "password": PASSWORD})

    assert_problem(answer, "unauthenticated")
