"""The service answers only to its own host names."""

from dataclasses import replace

import httpx
import pytest

from gatehouse.common.settings import AppSettings, Environment, Settings, ensure_safe
from gatehouse.testing.answers import assert_done, assert_problem
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import ORIGIN, RunningApp, try_log_in

pytestmark = pytest.mark.promise("C6")

STATUS = "/api/v1/"
HOST = "gatehouse.test"


async def send_hosts(app: RunningApp, *hosts: str, path: str = STATUS) -> httpx.Response:
    """Sends exactly these Host headers, or none."""
    client = await app.client()
    request = client.build_request("GET", path)
    del request.headers["host"]
    host_headers = [(b"host", host.encode()) for host in hosts]
    request.headers = httpx.Headers([*host_headers, *request.headers.raw])
    return await client.send(request)


@pytest.mark.parametrize(
    "host",
    [HOST, HOST.upper(), "GateHouse.Test", f"{HOST}:443", f"{HOST}:8443", "localhost", "127.0.0.1:8000", "[::1]:8000"],
)
async def test_its_own_names_are_answered_in_any_case_and_at_any_port(app: RunningApp, host: str) -> None:
    assert (await send_hosts(app, host)).status_code == 200


@pytest.mark.parametrize(
    "hosts",
    [
        ("evil.test",),
        (f"{HOST}.evil.test",),
        (f"evil.{HOST}",),
        (f"evil{HOST}",),
        (f"{HOST}@evil.test",),
        (f"evil.test/{HOST}",),
        ("192.0.2.1",),
        ("[::2]",),
        ("[",),
        ("",),
        (":443",),
        ("\xe4",),
        (),
        (HOST, HOST),
        (HOST, "evil.test"),
        ("evil.test", HOST),
    ],
)
@pytest.mark.parametrize("path", ["/", "/docs", "/api/v1/account/me"])
async def test_any_other_host_is_refused(app: RunningApp, hosts: tuple[str, ...], path: str) -> None:
    answer = await send_hosts(app, *hosts, path=path)

    assert_problem(answer, "invalid-host")
    assert "evil" not in str(answer.headers) + answer.text


@pytest.mark.parametrize("host", [f"evil@{HOST}", f"{HOST}/evil", f"{HOST}?evil", f"{HOST}#evil", f"{HOST}:evil"])
async def test_what_is_more_than_a_name_and_a_port_is_refused(app: RunningApp, host: str) -> None:
    assert_problem(await send_hosts(app, host), "invalid-host")


async def test_a_foreign_host_changes_nothing(app: RunningApp) -> None:
    await app.add_user("alice")
    client = await app.client(host="evil.test")

    assert_problem(await try_log_in(client), "invalid-host")

    assert not client.cookies
    assert_done(await try_log_in(await app.client()))


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
@pytest.mark.parametrize("hosts", [("10.0.0.7:8000",), ("evil.test",), (), (HOST, "evil.test")])
async def test_probes_are_answered_under_any_name(app: RunningApp, hosts: tuple[str, ...], path: str) -> None:
    answer = await send_hosts(app, *hosts, path=path)

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/livez/", "/readyz/", "/LIVEZ", "/livez/../api/v1/", "//livez"])
async def test_what_only_looks_like_a_probe_is_none(app: RunningApp, path: str) -> None:
    assert_problem(await send_hosts(app, "evil.test", path=f"https://{HOST}{path}"), "invalid-host")


async def test_further_names_can_be_configured(settings: Settings) -> None:
    app_settings = replace(settings[AppSettings], hosts=["internal.test", "Upper.Test", "192.0.2.1", "2001:db8::7"])
    ensure_safe(settings.replace(app_settings))
    async with run_app(settings.replace(app_settings)) as app:
        for host in (HOST, "internal.test", "upper.test", "192.0.2.1:8000", "[2001:db8::7]:8000"):
            assert (await send_hosts(app, host)).status_code == 200, host
        assert_problem(await send_hosts(app, "evil.test"), "invalid-host")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]:8000"])
async def test_production_does_not_answer_to_local_names(settings: Settings, host: str) -> None:
    app_settings = AppSettings(environment=Environment.PRODUCTION, origin=ORIGIN)
    async with run_app(settings.replace(app_settings)) as app:
        assert_problem(await send_hosts(app, host), "invalid-host")
        assert (await send_hosts(app, HOST)).status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [("/", 307, "/docs"), ("/api/v1/users", 404, None), ("/docs/", 404, None), ("/docs/assets", 404, None)],
)
async def test_no_redirect_is_built_from_the_host(
    app: RunningApp, path: str, status: int, location: str | None
) -> None:
    answer = await send_hosts(app, "localhost:8443", path=path)

    assert (answer.status_code, answer.headers.get("location")) == (status, location)
