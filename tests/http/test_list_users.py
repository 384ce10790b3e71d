from datetime import timedelta

import psycopg
import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.answers import account_of, assert_problem
from gatehouse.testing.running_app import RunningApp

USERS = "/api/v1/users/"
NAMES = ["admin", "alice", "bobby", "carol", "chief"]


@pytest.fixture
async def populated_app(app: RunningApp) -> RunningApp:
    """Five accounts, each a minute younger than the one before."""
    for username, role, is_active in [
        ("chief", Role.SUPER_ADMIN, True),
        ("carol", Role.USER, False),
        ("admin", Role.ADMIN, True),
        ("bobby", Role.USER, True),
        ("alice", Role.USER, False),
    ]:
        await app.add_user(username, role, is_active=is_active)
        app.clock.advance(timedelta(minutes=1))
    app.clock.advance(-timedelta(minutes=5))
    return app


async def list_names(app: RunningApp, query: str = "") -> list[str]:
    answer = await (await app.log_in("admin")).get(f"{USERS}{query}")
    assert answer.status_code == 200, answer.text
    return [account["username"] for account in answer.json()["users"]]


async def test_admins_list_accounts_by_name_without_a_total(app: RunningApp) -> None:
    alice = await app.add_user("alice", is_active=False)
    admin = await app.add_user("admin", Role.ADMIN)

    answer = await (await app.log_in("admin")).get(USERS)

    body = answer.json()
    assert answer.status_code == 200
    assert body["users"] == [account_of(admin, last_login_at=app.clock.now()), account_of(alice)]
    assert body["total"] is None


async def test_whatever_the_database_holds_as_a_name_is_escaped(app: RunningApp, owner: psycopg.Connection) -> None:
    admin = await app.logged_in("admin", Role.ADMIN)
    await app.add_user("alice")
    owner.execute("UPDATE users SET username = %s WHERE username = 'alice'", ['al"i\\ce\n'])

    answer = await admin.get(USERS)

    assert [account["username"] for account in answer.json()["users"]] == ["admin", 'al"i\\ce\n']


@pytest.mark.parametrize(
    ("field", "ascending"),
    [
        ("username", NAMES),
        ("role", ["admin", "chief", "carol", "bobby", "alice"]),
        ("is_active", ["carol", "alice", "chief", "admin", "bobby"]),
        ("created_at", ["chief", "carol", "admin", "bobby", "alice"]),
        ("updated_at", ["chief", "carol", "admin", "bobby", "alice"]),
    ],
)
async def test_any_field_gives_an_order_in_which_ties_go_by_id(
    populated_app: RunningApp, field: str, ascending: list[str]
) -> None:
    assert await list_names(populated_app, f"?sorting_field={field}") == ascending
    assert await list_names(populated_app, f"?sorting_field={field}&sorting_order=asc") == ascending
    assert await list_names(populated_app, f"?sorting_field={field}&sorting_order=desc") == ascending[::-1]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?role=user", ["alice", "bobby", "carol"]),
        ("?role=admin", ["admin"]),
        ("?role=super_admin", ["chief"]),
        ("?is_active=false", ["alice", "carol"]),
        ("?is_active=true", ["admin", "bobby", "chief"]),
        ("?role=user&is_active=true", ["bobby"]),
        ("?role=admin&is_active=false", []),
    ],
)
async def test_filters_narrow_the_list(populated_app: RunningApp, query: str, names: list[str]) -> None:
    assert await list_names(populated_app, query) == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?limit=2", NAMES[:2]),
        ("?limit=2&offset=2", NAMES[2:4]),
        ("?limit=100&offset=4", NAMES[4:]),
        ("?offset=10000", []),
    ],
)
async def test_limit_and_offset_cut_a_page_out(populated_app: RunningApp, query: str, names: list[str]) -> None:
    assert await list_names(populated_app, query) == names


async def test_a_page_has_20_accounts_unless_asked_otherwise(app: RunningApp) -> None:
    await app.add_user("admin", Role.ADMIN)
    for number in range(21):
        await app.add_user(f"user-{number:02}")

    assert len(await list_names(app)) == 20
    assert len(await list_names(app, "?limit=100")) == 22


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("?with_total=true", 5),
        ("?with_total=true&limit=1&offset=3", 5),
        ("?with_total=true&role=user", 3),
        ("?with_total=true&role=admin&is_active=false", 0),
        ("?with_total=false", None),
    ],
)
async def test_the_total_counts_what_the_filters_leave(
    populated_app: RunningApp, query: str, total: int | None
) -> None:
    answer = await (await populated_app.log_in("admin")).get(f"{USERS}{query}")

    assert answer.json()["total"] == total


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "ten"),
        ("limit", "1.5"),
        ("limit", ""),
        ("limit", "9" * 5000),
        ("offset", "-1"),
        ("offset", "10001"),
        ("sorting_field", "password_hash"),
        ("sorting_field", "id"),
        ("sorting_field", "username;--"),
        ("sorting_order", "ASC"),
        ("sorting_order", "asc%00"),
        ("role", "owner"),
        ("is_active", "maybe"),
        ("with_total", "2"),
    ],
)
async def test_a_wrong_value_is_refused_and_not_repeated(app: RunningApp, field: str, value: str) -> None:
    answer = await (await app.logged_in("admin", Role.ADMIN)).get(f"{USERS}?{field}={value}")

    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert_problem(answer, "invalid-input", (field, error["message"]))
    assert len(value) < 4 or value not in answer.text


async def test_plain_users_list_nobody(app: RunningApp) -> None:
    assert_problem(await (await app.logged_in("mallory")).get(USERS), "forbidden")


async def test_strangers_list_nobody(app: RunningApp) -> None:
    assert_problem(await (await app.client()).get(f"{USERS}?limit=0"), "unauthenticated")
