"""What the service says while its database is away."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from gatehouse.accounts.application.ports import SessionTokens
from gatehouse.common.presentation.http.problems import MEDIA_TYPE
from gatehouse.common.settings import PostgresSettings, Settings
from gatehouse.testing.answers import assert_problem
from gatehouse.testing.database import CreateDatabase
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import LOGIN, RunningApp, cookie, on_database, without_database
from gatehouse.testing.server import server_url
from tests.integration.proxied_postgres import Loss, run_proxy

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
    url = create_database("standby")
    async with run_app(on_database(settings, url)) as app:
        client = await app.logged_in("alice")
        with psycopg.connect(url, autocommit=True) as owner:
            name = sql.Identifier(owner.info.dbname)
            owner.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
        await app.database.execute("SET default_transaction_read_only = on", {})
        app.clock.advance(timedelta(minutes=2))

        assert (await client.get(ME)).status_code == 200
        assert_problem(answer := await client.delete(LOGOUT), "unavailable")
        assert "Max-Age=0" in answer.headers["set-cookie"]


@pytest.mark.slow
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

        with psycopg.connect(server_url(), autocommit=True) as outside:
            name = conninfo_to_dict(lost_settings[PostgresSettings].url)["dbname"]
            outside.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name])

        assert_problem(await client.get(ME), "unavailable")
        assert (await client.get(ME)).status_code == 200


@pytest.mark.promise("R8")
async def test_a_write_whose_commit_was_not_answered_says_so_and_may_be_repeated(
    settings: Settings, create_database: CreateDatabase
) -> None:
    body = {"username": "alice", "password": PASSWORD}
    async with (
        run_proxy(create_database("unanswered")) as proxy,
        run_app(on_database(settings, proxy.url)) as app,
    ):
        client = await app.client()
        proxy.answer_to_commit = Loss.CONNECTION_CLOSED

        answer = await client.post(SIGN_UP, json=body)

        assert_problem(answer, "outcome-unknown")
        assert int(answer.headers["retry-after"]) > 0
        proxy.speak()
        assert_problem(await client.post(SIGN_UP, json=body), "username-taken")


@pytest.mark.promise("R8")
async def test_where_no_more_than_a_count_may_have_happened_it_is_unavailable(
    settings: Settings, create_database: CreateDatabase
) -> None:
    async with (
        run_proxy(create_database("uncounted")) as proxy,
        run_app(on_database(settings, proxy.url)) as app,
    ):
        client = await app.client()
        proxy.answer_to_commit, proxy.lost_write = Loss.CONNECTION_CLOSED, re.compile(rb"INSERT INTO attempts")

        answer = await client.post(SIGN_UP, json={"username": "alice", "password": PASSWORD})

        assert proxy.commits_lost == 1
        assert_problem(answer, "unavailable")


async def test_the_documentation_says_which_calls_may_have_an_unknown_outcome(app: RunningApp) -> None:
    documented = {
        (method, path): "outcome-unknown"
        in operation["responses"].get("503", {}).get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
        for path, operations in app.fastapi_app.openapi()["paths"].items()
        for method, operation in operations.items()
    }

    assert documented == {(method, path): method != "get" for method, path in documented}
