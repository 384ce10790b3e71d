"""Errors of the console are pages that say what to do and hold the request id; those of the API stay documents."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx
import pytest
from dishka import Provider, Scope

from gatehouse.accounts.application.ports import SessionTokens
from gatehouse.accounts.application.queries.get_me import GetMe
from gatehouse.accounts.domain.role import Role
from gatehouse.common.settings import Settings
from gatehouse.testing.answers import assert_problem
from gatehouse.testing.database import CreateDatabase
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import COOKIE, RunningApp, cookie, on_database, token_of, without_database
from tests.http.console.pages import (
    ACCOUNT,
    AUDIT,
    CONSOLE,
    LOG_IN,
    OWN_PASSWORD,
    USERS,
    assert_error_page,
    assert_led_to,
)
from tests.http.test_problems import BrokenGetMe
from tests.integration.proxied_postgres import Loss, run_proxy

ME: Final = "/api/v1/account/me"
CANARY: Final = "kanarienvogel"


@pytest.mark.parametrize(
    "path",
    [
        f"{CONSOLE}nothing",
        f"{CONSOLE}{CANARY}",
        f"{CONSOLE}/",
        f"{USERS}/",
        f"{USERS}/alice/inactivate/at-once",
        f"{CONSOLE}assets/console.css",
        f"{CONSOLE}assets/console.000000000000.css",
        f"{CONSOLE}assets/..%2fassets.py",
        f"{CONSOLE}assets/%00",
        f"{CONSOLE}%ED%A0%80%FF%00",
        f"{CONSOLE}<img src=x onerror=alert(1)>",
    ],
)
@pytest.mark.parametrize("is_logged_in", [True, False])
async def test_a_page_that_does_not_exist_is_not_found(app: RunningApp, path: str, *, is_logged_in: bool) -> None:
    client = await (app.logged_in("chief", Role.SUPER_ADMIN) if is_logged_in else app.client())

    for method in ("GET", "POST", "DELETE"):
        answer = await client.request(method, path)
        if answer.status_code == 405:  # there is such a page, for another method
            continue
        assert_error_page(answer, 404, "There is nothing here.")
        assert "<img" not in answer.text


async def test_there_is_no_act_but_those_that_there_are(app: RunningApp) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)
    await app.add_user("alice")

    assert_error_page(await chief.get(f"{USERS}/alice/promote"), 404)
    assert_error_page(await chief.post(f"{USERS}/alice/promote"), 404)


@pytest.mark.parametrize("username", ["nobody", "x", "%00", "al%20ice", "..%2f..", "%ED%A0%80", "a" * 5000])
async def test_there_is_no_page_of_who_does_not_exist(app: RunningApp, username: str) -> None:
    chief = await app.logged_in("chief", Role.SUPER_ADMIN)

    for path in (f"{USERS}/{username}", f"{USERS}/{username}/erase", f"{USERS}/{username}/password"):
        answer = await chief.get(path)
        assert_error_page(answer, answer.status_code)
        assert answer.status_code in (404, 422)


@pytest.mark.promise("C3")
@pytest.mark.parametrize(
    ("method", "path", "methods"),
    [
        ("DELETE", USERS, {"GET"}),
        ("PUT", LOG_IN, {"GET", "POST"}),
        ("GET", f"{CONSOLE}log-out", {"POST"}),
        ("GET", f"{CONSOLE}theme", {"POST"}),
        ("PATCH", f"{USERS}/alice/inactivate", {"GET", "POST"}),
        ("POST", AUDIT, {"GET"}),
        ("DELETE", f"{USERS}/alice", {"GET"}),
        ("POST", ACCOUNT, {"GET"}),
        ("POST", CONSOLE, {"GET"}),
    ],
)
async def test_another_method_is_told_which_ones_there_are(
    app: RunningApp, method: str, path: str, methods: set[str]
) -> None:
    answer = await (await app.logged_in("chief", Role.SUPER_ADMIN)).request(method, path)

    assert_error_page(answer, 405, "This method is not allowed here.")
    assert set(answer.headers["allow"].split(", ")) == methods


async def test_what_a_role_does_not_allow_is_said(app: RunningApp) -> None:
    client = await app.logged_in("alice")

    page = assert_error_page(await client.get(USERS), 403, "Your role does not allow this.")

    assert "Ask somebody with a higher role" in page.text


@pytest.mark.promise("C6")
async def test_another_host_gets_a_page_without_a_link_to_it(app: RunningApp) -> None:
    client = await app.client(host="evil.test")

    answer = await client.get(LOG_IN)

    assert_error_page(answer, 400)
    assert "evil.test" not in answer.text + str(answer.headers)


@pytest.fixture
async def broken(app: RunningApp, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Logged in where one's own account cannot be read."""
    token = token_of(await app.logged_in("alice"))
    parts = Provider(scope=Scope.REQUEST)
    parts.provide(BrokenGetMe, provides=GetMe)
    async with run_app(settings, parts) as broken_app:
        yield await broken_app.client(**cookie(token))


@pytest.mark.promise("I3")
async def test_a_fault_is_a_page_without_a_word_of_it(broken: httpx.AsyncClient) -> None:
    answer = await broken.get(f"{ACCOUNT}?done={CANARY}")

    page = assert_error_page(answer, 500, "Something went wrong on our side; it has been logged.")
    assert "tell your operator the request id" in page.text
    assert CANARY not in page.text + "".join(page.links)
    assert "Traceback" not in answer.text


async def test_the_same_fault_is_a_problem_document_on_the_api(broken: httpx.AsyncClient) -> None:
    assert_problem(await broken.get(ME), "internal-error")


@pytest.mark.slow
async def test_without_the_database_every_page_that_needs_it_says_so(settings: Settings, app: RunningApp) -> None:
    now = datetime.now(UTC)
    tokens = await app.container.get(SessionTokens)
    token = tokens.encode("a secret", issued_at=now, expires_at=now + timedelta(hours=1))
    async with run_app(without_database(settings)) as away:
        stranger, caller = await away.client(), await away.client(**cookie(token))
        answers = await asyncio.gather(
            caller.get(USERS),
            caller.get(OWN_PASSWORD),
            stranger.post(LOG_IN, data={"username": "alice", "password": PASSWORD}),
            caller.post(f"{CONSOLE}log-out"),
        )

        for answer in answers:
            page = assert_error_page(answer, 503)
            assert int(answer.headers["retry-after"]) > 0
            assert "Nothing was changed." in page.text
        assert "Max-Age=0" in answers[-1].headers["set-cookie"]
        assert (await stranger.get(LOG_IN)).status_code == 200
        assert_problem(await caller.get(ME), "unavailable")


@pytest.mark.slow
@pytest.mark.promise("R8")
async def test_an_act_whose_commit_was_not_answered_says_so_and_may_be_repeated(
    settings: Settings, create_database: CreateDatabase
) -> None:
    async with run_proxy(create_database("console")) as proxy, run_app(on_database(settings, proxy.url)) as app:
        await app.add_user("alice")
        chief = await app.logged_in("chief", Role.SUPER_ADMIN)
        proxy.answer_to_commit, proxy.lost_write = Loss.CONNECTION_CLOSED, re.compile(rb"UPDATE users")

        answer = await chief.post(f"{USERS}/alice/inactivate")
        page = assert_error_page(answer, 503)
        assert "Look whether the change was made" in page.text
        proxy.speak()
        assert_led_to(await chief.post(f"{USERS}/alice/inactivate"), f"{USERS}/alice?done=inactivate")


async def test_an_error_page_keeps_the_menu_of_who_is_logged_in(app: RunningApp) -> None:
    client = await app.logged_in("chief", Role.ADMIN)

    page = assert_error_page(await client.get(f"{USERS}/nobody"), 404)

    assert {link["href"] for link in page.of("a") if link.is_in("nav")} == {ACCOUNT, USERS}
    assert COOKIE in client.cookies
