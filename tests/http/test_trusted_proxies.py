"""Whose word is taken for where a request comes from."""

from collections.abc import AsyncIterator

import httpx
import pytest

from gatehouse.common.settings import Settings, UvicornSettings
from tests.conftest import ORIGIN, RunningApp
from tests.fakes import PASSWORD
from tests.http.answers import assert_done, assert_problem
from tests.http.running_app import client_from, run_app, try_log_in

pytestmark = pytest.mark.promise("D5")

SESSIONS = "/api/v1/account/sessions"
PROXY, INNER, STRANGER = "192.0.2.10", "10.1.2.3", "203.0.113.5"
WRONG = "wrong " + PASSWORD


@pytest.fixture
async def behind(app: RunningApp, settings: Settings) -> AsyncIterator[RunningApp]:
    """An application that trusts one address and one network."""
    await app.add_user("alice")
    trusting = UvicornSettings(trusted_proxies=[PROXY, "10.0.0.0/8"])
    async with run_app(settings.replace(trusting)) as behind:
        yield behind


async def seen_from(client: httpx.AsyncClient) -> str:
    """The address that the session has of its own login."""
    assert_done(await try_log_in(client))
    [session] = (await client.get(SESSIONS)).json()["sessions"]
    return str(session["ip"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "ip"),
    [
        (PROXY, STRANGER, STRANGER),
        (INNER, STRANGER, STRANGER),
        (INNER, f"{STRANGER}, {PROXY}", STRANGER),
        (PROXY, f"198.51.100.9, {STRANGER}", STRANGER),
        (PROXY, f"{PROXY}, {STRANGER}", STRANGER),
        (PROXY, f"127.0.0.1,{STRANGER},10.9.9.9", STRANGER),
        (PROXY, "2001:db8::7", "2001:db8::7"),
        (STRANGER, "198.51.100.9", STRANGER),
        (STRANGER, PROXY, STRANGER),
        (STRANGER, f"198.51.100.9, {PROXY}", STRANGER),
        ("11.0.0.1", "198.51.100.9", "11.0.0.1"),
    ],
)
async def test_the_nearest_hop_that_is_no_proxy_of_ours_is_the_client(
    behind: RunningApp, peer: str, forwarded: str, ip: str
) -> None:
    assert await seen_from(await client_from(behind, peer, **{"x-forwarded-for": forwarded})) == ip


async def test_a_header_that_the_client_sent_before_the_proxys_is_not_believed(behind: RunningApp) -> None:
    transport = httpx.ASGITransport(behind.fastapi_app, client=(PROXY, 50_000))
    headers = [("x-forwarded-for", "198.51.100.9"), ("x-forwarded-for", STRANGER)]
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as client:
        assert await seen_from(client) == STRANGER


@pytest.mark.parametrize("name", ["forwarded", "x-real-ip", "x-client-ip", "cf-connecting-ip"])
async def test_no_other_header_is_believed(behind: RunningApp, name: str) -> None:
    assert await seen_from(await client_from(behind, PROXY, **{name: "198.51.100.9"})) == PROXY


@pytest.mark.parametrize("peer", [PROXY, INNER, STRANGER, "127.0.0.1"])
async def test_without_proxies_nobody_is_believed(app: RunningApp, peer: str) -> None:
    await app.add_user("alice")

    assert await seen_from(await client_from(app, peer, **{"x-forwarded-for": "198.51.100.9"})) == peer


async def test_a_guesser_gets_no_new_count_by_claiming_other_addresses(behind: RunningApp) -> None:
    for number in range(5):
        client = await client_from(behind, STRANGER, **{"x-forwarded-for": f"198.51.100.{number}"})
        assert_problem(await try_log_in(client, password=WRONG), "invalid-credentials")

    client = await client_from(behind, STRANGER, **{"x-forwarded-for": "198.51.100.99"})
    assert_problem(await try_log_in(client), "too-many-attempts")


async def test_clients_behind_one_proxy_are_told_apart(behind: RunningApp) -> None:
    guesser = await client_from(behind, PROXY, **{"x-forwarded-for": f"198.51.100.9, {STRANGER}"})
    alice = await client_from(behind, PROXY, **{"x-forwarded-for": "198.51.100.9"})
    for _ in range(5):
        assert_problem(await try_log_in(guesser, password=WRONG), "invalid-credentials")

    assert_problem(await try_log_in(guesser), "too-many-attempts")
    assert_done(await try_log_in(alice))
