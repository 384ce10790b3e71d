import psycopg
import pytest

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.answers import account_of, assert_problem
from gatehouse.testing.running_app import RunningApp

REVOKE = "/api/v1/users/revoke"
ME = "/api/v1/account/me"


@pytest.mark.parametrize("role", Role)
async def test_everyone_sees_the_account_they_are_logged_in_with(app: RunningApp, role: Role) -> None:
    await app.add_user("other", role)
    alice = await app.add_user("alice", role)

    answer = await (await app.log_in("alice")).get(ME)

    assert (answer.status_code, answer.json()) == (200, account_of(alice, last_login_at=app.clock.now()))


async def test_a_changed_account_shows_at_the_next_request(app: RunningApp) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    alice = await app.logged_in("alice", Role.ADMIN)

    await chief.patch(REVOKE, json={"username": "alice"})

    assert (await alice.get(ME)).json()["role"] == "user"


async def test_a_stranger_logs_in_first(app: RunningApp) -> None:
    assert_problem(await (await app.client()).get(ME), "unauthenticated")


async def test_an_account_that_is_gone_is_logged_out(app: RunningApp, owner: psycopg.Connection) -> None:
    client = await app.logged_in("alice")

    owner.execute("DELETE FROM users")

    assert_problem(await client.get(ME), "unauthenticated")
