"""The schema of an earlier version with data in it, brought to the newest revision."""

from datetime import UTC, datetime
from typing import LiteralString
from uuid import UUID

import psycopg
from alembic import command
from psycopg.conninfo import make_conninfo
from uuid6 import uuid7

from gatehouse.common.infrastructure.migrations import ServerRole, migrate, migration_config
from gatehouse.common.settings import Settings
from gatehouse.setup.modules import MODULES
from tests.conftest import CreateDatabase, RunningApp
from tests.database import SERVER_ROLE
from tests.http.running_app import on_database, run_app

INSERT_USER = """
    INSERT INTO users (id, username, role, is_active, password_hash, created_at, updated_at)
    VALUES (%s, 'chief', 'super_admin', true, %s, %s, %s)
"""
INSERT_EVENT = """
    INSERT INTO audit_events (id, at, action, outcome, actor, target)
    VALUES (%s, %s, 'grant_admin', 'done', 'chief', 'anna.admin')
"""
THEN = datetime(2026, 1, 2, tzinfo=UTC)


def execute(url: str, statement: LiteralString, *values: object) -> None:
    with psycopg.connect(url) as owner:
        owner.execute(statement, values)


async def test_accounts_and_events_of_earlier_versions_are_there_after_an_upgrade(
    app: RunningApp, settings: Settings, create_database: CreateDatabase
) -> None:
    url = create_database("upgrade", template="template0")
    config = migration_config(url)
    event_id = uuid7()
    user = await app.add_user("chief")

    command.upgrade(config, "0001")
    execute(url, INSERT_USER, user.id, user.password_hash, THEN, THEN)
    command.upgrade(config, "0002")
    execute(url, INSERT_EVENT, event_id, THEN)
    migrate(config, server_role=ServerRole(SERVER_ROLE, MODULES.grants))

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
