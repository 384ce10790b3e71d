"""What the service says while its database is away."""

import asyncio
import os
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from gatehouse.accounts.application.ports import SessionTokens
from gatehouse.common.settings import PostgresSettings, Settings
from tests.conftest import LOGIN, SERVER_URL, CreateDatabase, RunningApp
from tests.fakes import PASSWORD
from tests.http.answers import assert_problem
from tests.http.running_app import cookie, on_database, run_app, without_database

ME = "/api/v1/account/me"
SIGN_UP = "/api/v1/account/signup"
LOGOUT = "/api/v1/account/logout"
GRANT = "/api/v1/users/grant"


@pytest.fixture
async def token(app: RunningApp) -> str:
    """A token with a valid signature; whether it has a session does not matter here."""
    now = datetime.now(UTC)
    tokens: SessionTokens = await app.container.get(SessionTokens)
    return tokens.encode("a secret", issued_at=now, expires_at=now + timedelta(hours=1))


async def test_a_primary_that_has_become_read_only_is_unavailable_for_writing(
    settings: Settings, create_database: CreateDatabase
) -> None:
    async with run_app(on_database(settings, create_database("standby"))) as app:
        client = await app.logged_in("alice")
        await app.database.execute("SET default_transaction_read_only = on", {})
        app.clock.advance(timedelta(minutes=2))

        assert (await client.get(ME)).status_code == 200
        assert_problem(answer := await client.delete(LOGOUT), "unavailable")
        assert "Max-Age=0" in answer.headers["set-cookie"]


async def test_every_call_that_needs_the_database_says_so_and_the_others_answer(settings: Settings, token: str) -> None:
    async with run_app(without_database(settings)) as app:
        anonymous_client, token_client = await app.client(), await app.client(**cookie(token))
        account = {"username": "alice", "password": PASSWORD}

        answers = await asyncio.gather(
            anonymous_client.get("/readyz"),
            token_client.get(ME),
            token_client.get("/api/v1/users/"),
            token_client.patch(GRANT, json={"username": "alice"}),
            token_client.delete(LOGOUT),
            anonymous_client.post(SIGN_UP, json=account),
            anonymous_client.post(LOGIN, json=account),
        )

        for answer in answers:
            assert_problem(answer, "unavailable")
            assert int(answer.headers["retry-after"]) > 0
        for path in ("/livez", "/api/v1/"):
            assert (await anonymous_client.get(path)).status_code == 200


async def test_a_token_that_is_none_or_has_expired_asks_no_database(settings: Settings, app: RunningApp) -> None:
    tokens = await app.container.get(SessionTokens)
    now = datetime.now(UTC)
    expired_token = tokens.encode("a secret", issued_at=now - timedelta(hours=2), expires_at=now - timedelta(seconds=1))

    async with run_app(without_database(settings)) as away:
        client = await away.client()

        assert_problem(await client.get(ME), "unauthenticated")
        assert_problem(await client.get(ME, headers=cookie("forged")), "unauthenticated")
        assert_problem(await client.get(ME, headers=cookie(expired_token)), "unauthenticated")


async def test_a_lost_connection_costs_one_answer(settings: Settings, create_database: CreateDatabase) -> None:
    lost_settings = on_database(settings, create_database("lost"))
    async with run_app(lost_settings) as app:
        client = await app.logged_in("alice")

        with psycopg.connect(os.environ[SERVER_URL], autocommit=True) as outside:
            name = conninfo_to_dict(lost_settings[PostgresSettings].url)["dbname"]
            outside.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name])

        assert_problem(await client.get(ME), "unavailable")
        assert (await client.get(ME)).status_code == 200
