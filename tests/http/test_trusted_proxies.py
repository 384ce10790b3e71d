"""Which proxies' X-Forwarded-For header is trusted."""

from collections.abc import AsyncIterator

import httpx
import pytest

from gatehouse.common.settings import Settings, UvicornSettings
from gatehouse.testing.answers import assert_done, assert_problem
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import ORIGIN, RunningApp, client_from, try_log_in

pytestmark = pytest.mark.promise("D5")

SESSIONS = "/api/v1/account/sessions"
PROXY, INNER, CLIENT_IP = "192.0.2.10", "10.1.2.3", "203.0.113.5"
WRONG = "wrong " + PASSWORD


@pytest.fixture(scope="module")
async def trusting_app(settings: Settings) -> AsyncIterator[RunningApp]:
    """An application that trusts one address and one network."""
    proxy_settings = UvicornSettings(trusted_proxies=[PROXY, "10.0.0.0/8"])
    async with run_app(settings.replace(proxy_settings)) as trusting_app:
        yield trusting_app


@pytest.fixture
async def proxied_app(app: RunningApp, trusting_app: RunningApp) -> RunningApp:
    await app.add_user("alice")
    return trusting_app


async def session_ip(client: httpx.AsyncClient) -> str:
    """The address that the client's session shows."""
    assert_done(await try_log_in(client))
    [session] = (await client.get(SESSIONS)).json()["sessions"]
    return str(session["ip"])


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "ip"),
    [
        (PROXY, CLIENT_IP, CLIENT_IP),
        (INNER, CLIENT_IP, CLIENT_IP),
        (INNER, f"{CLIENT_IP}, {PROXY}", CLIENT_IP),
        (PROXY, f"198.51.100.9, {CLIENT_IP}", CLIENT_IP),
        (PROXY, f"{PROXY}, {CLIENT_IP}", CLIENT_IP),
        (PROXY, f"127.0.0.1,{CLIENT_IP},10.9.9.9", CLIENT_IP),
        (PROXY, "2001:db8::7", "2001:db8::7"),
        (CLIENT_IP, "198.51.100.9", CLIENT_IP),
        (CLIENT_IP, PROXY, CLIENT_IP),
        (CLIENT_IP, f"198.51.100.9, {PROXY}", CLIENT_IP),
        ("11.0.0.1", "198.51.100.9", "11.0.0.1"),
        (PROXY, f"{CLIENT_IP}:4711", CLIENT_IP),
        (PROXY, "[2001:db8::7]:4711", "2001:db8::7"),
        (PROXY, "fe80::7%eth0", "fe80::7"),
        (PROXY, "[fe80::7%an invented zone]:4711", "fe80::7"),
        (PROXY, f"198.51.100.9, {CLIENT_IP}%eth0", PROXY),
    ],
)
async def test_the_nearest_hop_that_is_no_proxy_of_ours_is_the_client(
    proxied_app: RunningApp, peer: str, forwarded_for: str, ip: str
) -> None:
    assert await session_ip(await client_from(proxied_app, peer, **{"x-forwarded-for": forwarded_for})) == ip


@pytest.mark.promise("E6")
@pytest.mark.parametrize(
    ("peer", "forwarded_for", "ip"),
    [
        ("::ffff:10.0.0.9", CLIENT_IP, CLIENT_IP),
        (PROXY, f"::ffff:{CLIENT_IP}", CLIENT_IP),
        (PROXY, f"{CLIENT_IP}, ::ffff:10.9.9.9", CLIENT_IP),
        (f"::ffff:{CLIENT_IP}", "198.51.100.9", f"::ffff:{CLIENT_IP}"),
    ],
)
async def test_an_ipv4_address_within_an_ipv6_one_is_the_same(
    proxied_app: RunningApp, peer: str, forwarded_for: str, ip: str
) -> None:
    assert await session_ip(await client_from(proxied_app, peer, **{"x-forwarded-for": forwarded_for})) == ip


@pytest.mark.promise("E6")
@pytest.mark.parametrize(
    ("forwarded_for", "ip"),
    [
        ("", PROXY),
        ("unknown", PROXY),
        ("198.51.100.9, unknown", PROXY),
        ("198.51.100.9, *, 10.1.2.3", INNER),
        ("198.51.100.9 10.1.2.3", PROXY),
        ("198.51.100.999", PROXY),
        ("[2001:db8::7]evil", PROXY),
        (",".join(["198.51.100.9", *[INNER] * 5_000]), INNER),
    ],
)
async def test_beyond_what_cannot_be_read_nobody_is_believed(
    proxied_app: RunningApp, forwarded_for: str, ip: str
) -> None:
    """Whoever wrote it stands for the client."""
    assert await session_ip(await client_from(proxied_app, PROXY, **{"x-forwarded-for": forwarded_for})) == ip


async def test_a_header_that_the_client_sent_before_the_proxys_is_not_believed(proxied_app: RunningApp) -> None:
    transport = httpx.ASGITransport(proxied_app.fastapi_app, client=(PROXY, 50_000))
    headers = [("x-forwarded-for", "198.51.100.9"), ("x-forwarded-for", CLIENT_IP)]
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as client:
        assert await session_ip(client) == CLIENT_IP


@pytest.mark.parametrize("name", ["forwarded", "x-real-ip", "x-client-ip", "cf-connecting-ip"])
async def test_no_other_header_is_believed(proxied_app: RunningApp, name: str) -> None:
    assert await session_ip(await client_from(proxied_app, PROXY, **{name: "198.51.100.9"})) == PROXY


@pytest.mark.parametrize("peer", [PROXY, INNER, CLIENT_IP, "127.0.0.1"])
async def test_without_proxies_nobody_is_believed(app: RunningApp, peer: str) -> None:
    await app.add_user("alice")

    assert await session_ip(await client_from(app, peer, **{"x-forwarded-for": "198.51.100.9"})) == peer


async def test_a_guesser_gets_no_new_count_by_claiming_other_addresses(proxied_app: RunningApp) -> None:
    for number in range(5):
        client = await client_from(proxied_app, CLIENT_IP, **{"x-forwarded-for": f"198.51.100.{number}"})
        assert_problem(await try_log_in(client, password=WRONG), "invalid-credentials")

    client = await client_from(proxied_app, CLIENT_IP, **{"x-forwarded-for": "198.51.100.99"})
    assert_problem(await try_log_in(client), "too-many-attempts")


async def test_clients_behind_one_proxy_are_told_apart(proxied_app: RunningApp) -> None:
    guesser = await client_from(proxied_app, PROXY, **{"x-forwarded-for": f"198.51.100.9, {CLIENT_IP}"})
    alice = await client_from(proxied_app, PROXY, **{"x-forwarded-for": "198.51.100.9"})
    for _ in range(5):
        assert_problem(await try_log_in(guesser, password=WRONG), "invalid-credentials")

    assert_problem(await try_log_in(guesser), "too-many-attempts")
    assert_done(await try_log_in(alice))
