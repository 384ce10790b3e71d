from datetime import timedelta

import pytest

from gatehouse.common.settings import Settings
from gatehouse.testing.answers import assert_done, assert_problem
from gatehouse.testing.database import CreateDatabase
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import COOKIE, RunningApp, cookie, on_database, token_of

LOGOUT = "/api/v1/account/logout"
ME = "/api/v1/account/me"


async def test_logging_out_takes_the_cookie_away(app: RunningApp) -> None:
    client = await app.logged_in("alice")

    assert_done(await client.delete(LOGOUT))

    assert client.cookies.get(COOKIE) is None


@pytest.mark.promise("S7")
async def test_a_session_once_ended_stays_ended(app: RunningApp) -> None:
    client = await app.logged_in("alice")
    token = token_of(client)

    await client.delete(LOGOUT)

    assert_problem(await client.get(ME, headers=cookie(token)), "unauthenticated")


async def test_the_other_sessions_of_the_user_go_on(app: RunningApp) -> None:
    ended_client, other_client = await app.logged_in("alice"), await app.log_in("alice")

    await ended_client.delete(LOGOUT)

    assert (await other_client.get(ME)).status_code == 200


@pytest.mark.promise("S7")
async def test_an_ended_session_cannot_be_ended_again_and_loses_its_cookie(app: RunningApp) -> None:
    client = await app.logged_in("alice")
    token = token_of(client)
    await client.delete(LOGOUT)

    answer = await client.delete(LOGOUT, headers=cookie(token))

    assert_problem(answer, "unauthenticated")
    assert answer.headers["set-cookie"].startswith(f'{COOKIE}="";')


@pytest.mark.promise("S7")
@pytest.mark.parametrize("headers", [{}, cookie("forged"), {"cookie": f"{COOKIE}=one; {COOKIE}=two"}])
async def test_without_a_valid_session_the_cookie_goes_all_the_same(app: RunningApp, headers: dict[str, str]) -> None:
    answer = await (await app.client()).delete(LOGOUT, headers=headers)

    assert_problem(answer, "unauthenticated")
    assert answer.headers["set-cookie"].startswith(f'{COOKIE}="";')


@pytest.mark.promise("S7")
async def test_an_expired_session_loses_its_cookie(app: RunningApp) -> None:
    client = await app.logged_in("alice")
    app.clock.advance(timedelta(minutes=31))

    assert_problem(await client.delete(LOGOUT), "unauthenticated")

    assert client.cookies.get(COOKIE) is None


async def test_other_calls_leave_an_invalid_cookie_alone(app: RunningApp) -> None:
    answer = await (await app.client()).get(ME, headers=cookie("forged"))

    assert_problem(answer, "unauthenticated")
    assert "set-cookie" not in answer.headers


@pytest.mark.promise("S7")
async def test_even_a_fault_takes_the_cookie_away(settings: Settings, create_database: CreateDatabase) -> None:
    async with run_app(on_database(settings, create_database("faulty"))) as app:
        client = await app.logged_in("alice")
        await app.database.execute("ALTER TABLE audit_events ADD CHECK (false) NOT VALID", {})

        assert_problem(await client.delete(LOGOUT), "internal-error")

        assert client.cookies.get(COOKIE) is None
