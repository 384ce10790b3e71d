"""The sample module, as config.toml names it: put in, used, taken out and put back, on a real database."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import httpx
import psycopg
import pytest
from dishka import Provider, Scope
from psycopg.conninfo import make_conninfo

from gatehouse.accounts import Role
from gatehouse.audit.infrastructure.failed_attempts import FailureWriter
from gatehouse.common.application.ports import Clock
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.infrastructure.migrations import migrate
from gatehouse.common.settings import AppSettings, PostgresSettings, Settings
from gatehouse.setup.app import create_app
from gatehouse.setup.modules import modules_of
from gatehouse.testing.answers import assert_problem
from gatehouse.testing.database import SERVER_ROLE, CreateDatabase
from gatehouse.testing.fakes import FakeClock
from gatehouse.testing.running_app import RunningApp

pytestmark = pytest.mark.slow

BADGES: Final = "/api/v1/badges/"
AUDIT: Final = "/api/v1/audit/"


@pytest.fixture
def url(create_database: CreateDatabase) -> str:
    """Of an empty database."""
    return create_database("outside", template="template0")


@pytest.fixture
def with_sample(settings: Settings, url: str) -> Settings:
    return service_of(settings, url, modules=["tests.sample"])


@pytest.fixture
def without_sample(settings: Settings, url: str) -> Settings:
    return service_of(settings, url, modules=[])


def service_of(settings: Settings, url: str, modules: list[str]) -> Settings:
    app = settings[AppSettings]
    return settings.replace(
        AppSettings(environment=app.environment, origin=app.origin, modules=modules),
        PostgresSettings(url=make_conninfo(url, user=SERVER_ROLE), pool_size=1),
    )


def migrate_for(settings: Settings, url: str) -> dict[str, str]:
    return migrate(url, modules_of(settings).migration_lines, server_role=SERVER_ROLE)


@asynccontextmanager
async def run_service(settings: Settings) -> AsyncIterator[RunningApp]:
    """With the modules that the settings name, and no others."""
    clock = FakeClock()
    parts = Provider(scope=Scope.APP)
    parts.provide(lambda: clock, provides=Clock)
    fastapi_app = create_app(settings, parts)
    async with fastapi_app.router.lifespan_context(fastapi_app), AsyncExitStack() as clients:
        container = fastapi_app.state.dishka_container
        yield RunningApp(fastapi_app, container, await container.get(Database), clock, clients)


async def award(app: RunningApp, name: str) -> str:
    admin = await app.log_in("admin")
    answer = await admin.post(BADGES, json={"username": "alice", "name": name})
    assert answer.status_code == 201, answer.text
    return str(answer.json())


async def events(chief: httpx.AsyncClient, **query: str) -> list[dict[str, Any]]:
    answer = await chief.get(AUDIT, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["events"]
    return found


async def test_a_module_that_is_named_serves_and_one_that_is_taken_out_leaves_a_working_service(
    url: str, with_sample: Settings, without_sample: Settings
) -> None:
    assert migrate_for(with_sample, url) == {}
    async with run_service(with_sample) as app:
        for username, role in (("chief", Role.SUPER_ADMIN), ("admin", Role.ADMIN), ("alice", Role.USER)):
            await app.add_user(username, role)
        badge_id = await award(app, "gold")
        chief = await app.log_in("chief")
        assert (await chief.get("/readyz")).status_code == 200
        [event] = await events(chief, action="award_badge")
        assert "/api/v1/badges/" in (await chief.get("/openapi.json")).json()["paths"]

    # Taken out: whether or not somebody migrates then.
    for migrates in (False, True):
        if migrates:
            assert migrate_for(without_sample, url) == {}
        async with run_service(without_sample) as app:
            client = await app.client()
            assert (await client.get("/readyz")).status_code == 200
            chief = await app.log_in("chief")
            assert_problem(await chief.get(BADGES), "not-found")
            assert "/api/v1/badges/" not in (await chief.get("/openapi.json")).json()["paths"]
            assert event in await events(chief)
            assert await events(chief, subject=badge_id) == [event]
            assert event in await events(chief, target="alice")
            assert (await chief.get(AUDIT, params={"action": "award_badge"})).status_code == 422
    with psycopg.connect(url) as owner:
        assert owner.execute("SELECT name FROM badges").fetchall() == [("gold",)]

    # Put back: all is as it was.
    assert migrate_for(with_sample, url) == {}
    async with run_service(with_sample) as app:
        chief = await app.log_in("chief")
        assert (await chief.get("/readyz")).status_code == 200
        assert [badge["name"] for badge in (await chief.get(BADGES)).json()["badges"]] == ["gold"]
        assert await events(chief, action="award_badge") == [event]
        await award(app, "silver")


async def test_a_service_is_not_ready_until_the_tables_of_a_new_module_are_made(
    url: str, with_sample: Settings, without_sample: Settings
) -> None:
    migrate_for(without_sample, url)
    async with run_service(with_sample) as app:
        client = await app.client()
        assert (await client.get("/readyz")).status_code == 503

        migrate_for(with_sample, url)

        assert (await client.get("/readyz")).status_code == 200


async def test_what_a_role_refuses_in_a_module_is_an_event_of_its_action(url: str, with_sample: Settings) -> None:
    migrate_for(with_sample, url)
    async with run_service(with_sample) as app:
        alice = await app.logged_in("alice")
        await app.add_user("bobby")

        assert_problem(await alice.post(BADGES, json={"username": "bobby", "name": "gold"}), "forbidden")

        await (await app.container.get(FailureWriter)).flush()
        chief = await app.logged_in("chief", Role.SUPER_ADMIN)
        [refused] = await events(chief, action="award_badge")
        assert (refused["outcome"], refused["actor"], refused["target"]) == ("refused", "alice", "bobby")
