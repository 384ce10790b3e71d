"""Requests are counted by their route's template, so that no stranger can make a series."""

from collections.abc import AsyncIterator

import httpx
import pytest
from dishka import Provider, Scope

from gatehouse.accounts.application.queries.get_user import AccountByUsername
from gatehouse.accounts.domain.role import Role
from gatehouse.common.application.measured_use_cases import DURATIONS as USE_CASES
from gatehouse.common.application.metrics import Labels, Metric
from gatehouse.common.infrastructure.database_pool import IN_USE, MAX_SIZE, PRIMARY, SIZE
from gatehouse.common.infrastructure.metrics.shared_metrics import SharedMetrics, WorkerMetrics
from gatehouse.common.presentation.http.middleware.metrics import DURATIONS, REQUESTS, MetricsMiddleware
from gatehouse.common.settings import Settings
from gatehouse.setup.metrics import series_of
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import RunningApp, try_log_in
from gatehouse.testing.under_test import modules_under_test

pytestmark = pytest.mark.promise("R11")

USER = "/api/v1/users/{username}"
LOGIN = "/api/v1/account/login"


class Counts:
    def __init__(self) -> None:
        self.memory = SharedMetrics(series_of(modules_under_test()))
        self.own: WorkerMetrics = self.memory.take(0)

    def of(self, metric: Metric) -> dict[Labels, float]:
        """Those that are not zero; of a histogram, how many."""
        self.own.sample()
        values, last = self.memory.values(), len(DURATIONS.bounds) if metric is DURATIONS else 0
        counts = {labels: values[offset + last] for labels, offset in self.memory.offsets[metric].items()}
        return {labels: count for labels, count in counts.items() if count}


@pytest.fixture
def counts() -> Counts:
    return Counts()


class BrokenQuery:
    async def find(self, username: str) -> None:
        raise ZeroDivisionError(username)


@pytest.fixture
async def measured(settings: Settings, counts: Counts) -> AsyncIterator[RunningApp]:
    broken = Provider(scope=Scope.APP)
    broken.provide(BrokenQuery, provides=AccountByUsername)
    async with run_app(settings, broken, metrics=counts.own) as app:
        yield app


async def test_a_request_counts_under_the_template_of_its_route(measured: RunningApp, counts: Counts) -> None:
    await measured.add_user("alice")
    client = await measured.client()

    assert (await try_log_in(client)).status_code == 204
    assert (await try_log_in(await measured.client(), password="not hers at all")).status_code == 401
    for name in ("alice", "bobby", "%00", "x" * 3000):
        assert (await client.get(f"/api/v1/users/{name}")).status_code == 403
    assert (await client.get("/")).status_code == 307

    assert counts.of(REQUESTS) == {
        (LOGIN, "POST", "2xx"): 1,
        (LOGIN, "POST", "4xx"): 1,
        (USER, "GET", "4xx"): 4,
        ("/", "GET", "3xx"): 1,
    }
    assert counts.of(DURATIONS) == {(LOGIN, "POST"): 2, (USER, "GET"): 4, ("/", "GET"): 1}


async def test_what_nobody_foresaw_counts_as_the_500_that_the_client_gets(measured: RunningApp, counts: Counts) -> None:
    client = await measured.logged_in("admin", Role.ADMIN)

    assert (await client.get("/api/v1/users/alice")).status_code == 500

    assert counts.of(REQUESTS)[USER, "GET", "5xx"] == 1


@pytest.mark.parametrize(
    ("request_line", "headers", "counted"),
    [
        ("GET /no/such/path", {}, ("none", "GET", "4xx")),
        ("POST /%2e%2e/etc/passwd", {}, ("none", "POST", "4xx")),
        ("PROPFIND /livez", {}, ("none", "other", "4xx")),
        ("MADE-UP /also/made/up", {}, ("none", "other", "4xx")),
        ("DELETE /livez", {}, ("none", "DELETE", "4xx")),
        ("GET /", {"host": "another.example"}, ("none", "GET", "4xx")),
        (f"POST {LOGIN}", {"sec-fetch-site": "cross-site"}, ("none", "POST", "4xx")),
    ],
)
async def test_what_has_no_route_or_is_refused_before_counts_as_one(
    measured: RunningApp, counts: Counts, request_line: str, headers: dict[str, str], counted: Labels
) -> None:
    client = await measured.client(**headers)

    await client.request(*request_line.split())

    assert counts.of(REQUESTS) == {counted: 1}


async def test_no_request_makes_a_series(measured: RunningApp, counts: Counts) -> None:
    client, before = await measured.client(), len(counts.memory.values())

    for number in range(50):
        await client.request(f"METHOD{number}", f"/path/{number}", headers={"user-agent": f"agent {number}"})

    assert len(counts.memory.values()) == before
    assert counts.of(REQUESTS) == {("none", "other", "4xx"): 50}


async def test_the_pool_says_how_full_it_is(measured: RunningApp, counts: Counts) -> None:
    async with measured.database.transaction():
        assert counts.of(IN_USE) == {(PRIMARY,): 1}

    assert counts.of(IN_USE) == {}
    assert counts.of(SIZE) == counts.of(MAX_SIZE) == {(PRIMARY,): 1}


def test_every_module_is_measured_without_a_line_of_its_own(counts: Counts) -> None:
    modules = modules_under_test()
    names = {name for labels in counts.memory.offsets[DURATIONS] for name in labels}

    assert {route.path for route in modules.routes} <= names  # type: ignore[attr-defined]  # they all have one
    assert "award_badge" in {use_case for (use_case,) in counts.memory.offsets[USE_CASES]}


async def test_without_metrics_nothing_is_on_the_way_of_a_request(app: RunningApp) -> None:
    layers: list[object] = [layer.cls for layer in app.fastapi_app.user_middleware]
    assert MetricsMiddleware not in layers


async def test_a_request_that_is_given_up_has_no_status(counts: Counts) -> None:
    async def give_up(*_: object) -> None:
        raise TimeoutError

    middleware = MetricsMiddleware(give_up, counts.own, [])
    with pytest.raises(TimeoutError):
        await httpx.ASGITransport(middleware).handle_async_request(httpx.Request("GET", "http://x/"))

    assert counts.of(REQUESTS) == {("none", "GET", "none"): 1}
