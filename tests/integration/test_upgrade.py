"""A database of an earlier version, brought to the newest revision, and this version on the schema of a later one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import LiteralString
from uuid import UUID

import httpx
import psycopg
import pytest
from alembic import command
from psycopg.conninfo import make_conninfo
from uuid6 import uuid7

from gatehouse.accounts.application.ports import SessionTokens
from gatehouse.common.infrastructure.migration_lines import migration_config
from gatehouse.common.infrastructure.migrations import migrate
from gatehouse.common.settings import Settings
from gatehouse.testing.answers import assert_problem
from gatehouse.testing.database import SERVER_ROLE, CreateDatabase
from gatehouse.testing.fakes import PASSWORD
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import RunningApp, cookie, on_database, try_log_in
from gatehouse.testing.under_test import modules_under_test
from tests.integration.later_version import OWN_LINE, later_version

pytestmark = pytest.mark.slow

INSERT_USER = """
    INSERT INTO users (id, username, role, is_active, password_hash, created_at, updated_at)
    VALUES (%s, 'chief', 'super_admin', true, %s, %s, %s)
"""
INSERT_EVENT = """
    INSERT INTO audit_events (id, at, action, outcome, actor, target)
    VALUES (%s, %s, 'grant_admin', 'done', 'chief', 'anna.admin')
"""
THEN = datetime(2026, 1, 2, tzinfo=UTC)


RELEASES = sorted((Path(__file__).parent / "releases").glob("*.sql"))
END_OF_RELEASE = datetime(2026, 3, 2, 8, 2, tzinfo=UTC)
SECRET_OF_CHIEF = "A4jXi2V1ViTmM9lnKL1mUnLdAzzWBKhe3Ca_AWqqcvU"
PASSWORD_OF_ANNA = "eleven quiet herons waiting"
ROLES = {"anna.admin": "admin", "chief": "super_admin", "frieda": "user", "ursula": "admin", "walter": "user"}


def execute(url: str, statement: LiteralString, *values: object) -> None:
    with psycopg.connect(url) as owner:
        owner.execute(statement, values)


async def test_accounts_and_events_of_earlier_versions_are_there_after_an_upgrade(
    app: RunningApp, settings: Settings, create_database: CreateDatabase
) -> None:
    url = create_database("upgrade", template="template0")
    config = migration_config(url, OWN_LINE)
    event_id = uuid7()
    user = await app.add_user("chief")

    command.upgrade(config, "0001")
    execute(url, INSERT_USER, user.id, user.password_hash, THEN, THEN)
    command.upgrade(config, "0002")
    execute(url, INSERT_EVENT, event_id, THEN)
    migrate(url, modules_under_test().migration_lines, server_role=SERVER_ROLE)

    async with run_app(on_database(settings, make_conninfo(url, user=SERVER_ROLE))) as upgraded:
        chief = await upgraded.log_in("chief")
        account = (await chief.get("/api/v1/account/me")).json()
        [event] = (await chief.get("/api/v1/audit/?action=grant_admin")).json()["events"]
    assert (UUID(account["id"]), account["username"], account["role"]) == (user.id, "chief", "super_admin")
    assert datetime.fromisoformat(account["created_at"]) == THEN
    assert (UUID(event["id"]), event["actor"], event["target"], event["subject"]) == (
        event_id,
        "chief",
        "anna.admin",
        None,
    )


@pytest.fixture(params=RELEASES, ids=lambda path: path.stem)
def released_url(request: pytest.FixtureRequest, create_database: CreateDatabase) -> str:
    """Of a database as a release has left it."""
    url = create_database("released", template="template0")
    with psycopg.connect(url) as owner:
        owner.execute(request.param.read_bytes())
    return url


async def names_of(client: httpx.AsyncClient) -> dict[str, str]:
    users = (await client.get("/api/v1/users/")).json()["users"]
    return {user["username"]: user["role"] for user in users}


async def cookie_of_chief(app: RunningApp) -> dict[str, str]:
    """As a browser has kept it."""
    tokens = await app.container.get(SessionTokens)
    now = datetime.now(UTC)
    return cookie(tokens.encode(SECRET_OF_CHIEF, issued_at=now, expires_at=now + timedelta(hours=1)))


@pytest.mark.promise("R3")
async def test_what_a_release_has_stored_goes_on_after_an_upgrade(released_url: str, settings: Settings) -> None:
    migrate(released_url, modules_under_test().migration_lines, server_role=SERVER_ROLE)

    async with run_app(on_database(settings, make_conninfo(released_url, user=SERVER_ROLE))) as app:
        app.clock.at = END_OF_RELEASE
        chief = await app.client(**await cookie_of_chief(app))
        assert (await chief.get("/readyz")).status_code == 200
        assert await names_of(chief) == ROLES | {"gustav": "user"}
        events = (await chief.get("/api/v1/audit/?limit=100&until=2026-03-02T08:02:00Z")).json()["events"]
        assert {event["outcome"] for event in events} == {"succeeded", "failed", "refused", "throttled"}
        [granted] = (await chief.get("/api/v1/audit/?actor=chief&action=grant_admin")).json()["events"]
        assert granted["target"] == "ursula"

        app.clock.at = datetime.now(UTC)
        assert (await (await app.log_in("anna.admin", PASSWORD_OF_ANNA)).get("/api/v1/account/sessions")).is_success
        gustav = await app.log_in("gustav")
        assert_problem(await gustav.get("/api/v1/users/"), "password-change-required")
        assert_problem(await try_log_in(await app.client(), "walter"), "invalid-credentials")


@pytest.mark.promise("R3")
async def test_who_was_throttled_before_an_upgrade_still_is(released_url: str, settings: Settings) -> None:
    migrate(released_url, modules_under_test().migration_lines, server_role=SERVER_ROLE)

    async with run_app(on_database(settings, make_conninfo(released_url, user=SERVER_ROLE))) as app:
        app.clock.at = END_OF_RELEASE - timedelta(minutes=1)
        assert_problem(await try_log_in(await app.client(), "frieda"), "too-many-attempts")

        app.clock.at = END_OF_RELEASE
        assert (await try_log_in(await app.client(), "frieda")).status_code == 204


@pytest.mark.promise("R3")
async def test_this_version_serves_while_and_after_a_later_one_migrates(
    released_url: str, settings: Settings, tmp_path: Path
) -> None:
    """An addition is what a migration may bring at once: see "Changing the schema" in CONTRIBUTING.md."""
    migrate(released_url, modules_under_test().migration_lines, server_role=SERVER_ROLE)
    async with run_app(on_database(settings, make_conninfo(released_url, user=SERVER_ROLE), pool_size=2)) as app:
        app.clock.at = END_OF_RELEASE
        chief = await app.client(**await cookie_of_chief(app))
        for _ in range(10):  # so that its statements are prepared for the schema as it was
            assert await names_of(chief) == ROLES | {"gustav": "user"}

        migrate(released_url, [later_version(tmp_path)], server_role=SERVER_ROLE)

        for _ in range(10):
            assert (await chief.get("/readyz")).status_code == 200
            assert await names_of(chief) == ROLES | {"gustav": "user"}
        for act, role in (("revoke", "user"), ("grant", "admin")):
            assert (await chief.patch(f"/api/v1/users/{act}", json={"username": "ursula"})).status_code == 204
            assert (await names_of(chief))["ursula"] == role
        app.clock.at = datetime.now(UTC)
        sign_up = await (await app.client()).post(
            "/api/v1/account/signup", json={"username": "newcomer", "password": PASSWORD}
        )
        assert sign_up.status_code == 201
        assert (await (await app.log_in("newcomer")).get("/api/v1/account/me")).is_success
