import httpx
import psycopg
import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.answers import assert_done, assert_problem
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.running_app import RunningApp

USERS = "/api/v1/users/"
SIGN_UP = "/api/v1/account/signup"


async def sign_up(app: RunningApp, username: str) -> httpx.Response:
    return await (await app.client()).post(SIGN_UP, json={"username": username, "password": PASSWORD})


async def names(client: httpx.AsyncClient, query: str = "") -> set[str]:
    body = (await client.get(f"{USERS}?with_total=true&limit=100{query}")).json()
    assert body["total"] == len(body["users"])
    return {account["username"] for account in body["users"]}


@pytest.mark.promise("X1")
async def test_an_erased_account_is_gone_at_once_with_its_sessions(app: RunningApp) -> None:
    chief, alice = await app.logged_in("chief", Role.SUPER_ADMIN), await app.logged_in("alice")

    assert_done(await chief.delete(f"{USERS}Alice"))

    assert_problem(await alice.get("/api/v1/account/me"), "unauthenticated")
    assert_problem(await chief.get(f"{USERS}alice"), "user-not-found")
    assert_problem(await chief.delete(f"{USERS}alice"), "user-not-found")


@pytest.mark.promise("X1")
async def test_no_list_shows_an_erased_account(app: RunningApp) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    await app.add_user("alice")
    await app.add_user("bobby", is_active=False)
    await chief.delete(f"{USERS}alice")

    for field in ("username", "role", "is_active", "created_at", "updated_at", "last_login_at"):
        for order in ("asc", "desc"):
            assert await names(chief, f"&sorting_field={field}&sorting_order={order}") == {"chief", "bobby"}
    assert await names(chief, "&role=user") == await names(chief, "&is_active=false") == {"bobby"}


@pytest.mark.promise("X1")
@pytest.mark.parametrize(("query", "is_free"), [("", False), ("?free_name=false", False), ("?free_name=true", True)])
async def test_the_name_is_free_again_only_if_that_was_asked_for(app: RunningApp, query: str, *, is_free: bool) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    await app.add_user("alice")
    assert_done(await chief.delete(f"{USERS}alice{query}"))

    answer = await sign_up(app, "Alice")

    if is_free:
        assert answer.status_code == 201
    else:
        assert_problem(answer, "username-taken")
    assert await names(chief) == ({"chief", "alice"} if is_free else {"chief"})


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("?free_name=perhaps", ("free_name", "Input should be a valid boolean, unable to interpret input.")),
        ("?free=true", ("query", "Holds an unknown field.")),
        ("?free_name=true&free_name=true", ("query", "Holds a parameter twice.")),
    ],
)
async def test_what_is_asked_for_must_be_clear(app: RunningApp, query: str, error: tuple[str, str]) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    await app.add_user("alice")

    assert_problem(await chief.delete(f"{USERS}alice{query}"), "invalid-input", error)

    assert await names(chief) == {"chief", "alice"}


@pytest.mark.promise("X1")
async def test_the_trail_is_read_by_the_pseudonym(app: RunningApp, owner: psycopg.Connection) -> None:
    chief, alice = await app.logged_in("chief", Role.SUPER_ADMIN), await app.add_user("alice")
    await app.log_in("alice")

    assert_done(await chief.delete(f"{USERS}alice"))

    name = alice.pseudonym
    events = (await chief.get(f"/api/v1/audit/?target={name}")).json()["events"]
    assert [(event["action"], event["actor"], event["ip"] is None) for event in events] == [
        ("erase_user", "chief", False),
        ("log_in", name, True),
    ]
    assert (await chief.get("/api/v1/audit/?actor=alice")).json()["events"] == []
    assert owner.execute("SELECT username FROM users WHERE role = 'erased'").fetchall() == [(name,)]
