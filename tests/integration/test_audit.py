"""The audit trail: changes are recorded in their own transaction, and read page by page."""

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from dishka import AsyncContainer
from structlog.testing import capture_logs
from uuid6 import uuid7

from gatehouse.accounts.application.commands.grant_admin import GrantAdmin
from gatehouse.accounts.domain.role import Role
from gatehouse.audit.application.events import AuditEvent, AuditPages, AuditRequest
from gatehouse.audit.infrastructure.queries.list_audit_events import SqlAuditPages
from gatehouse.common.application.paging import Cursors
from gatehouse.common.application.write_position import WritePosition
from gatehouse.common.domain.errors import InvalidError
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.infrastructure.database_errors import DatabaseError
from gatehouse.common.infrastructure.replica.query_database import QueryDatabase
from gatehouse.testing.fakes import FakeClock
from tests.integration.conftest import DatabaseMonitor
from tests.integration.harness import Harness


@pytest.fixture
async def pages(container: AsyncContainer, database: Database) -> AuditPages:
    assert await container.get(Database) is database
    pages: AuditPages = SqlAuditPages(
        QueryDatabase(await container.get(Database), None, WritePosition), await container.get(Cursors), FakeClock()
    )
    return pages


def insert(owner: psycopg.Connection, at: datetime, **values: Any) -> AuditEvent:
    fields = {"action": "log_in", "outcome": "succeeded", "actor": None, "target": None, "subject": None, **values}
    event = AuditEvent(id=uuid7(), at=at, ip="192.0.2.1", request_id="a-request", **fields)
    row = [event.id, event.at, event.action, event.outcome, event.actor, event.target]
    owner.execute(
        "INSERT INTO audit_events (id, at, action, outcome, actor, target, ip, request_id) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        [*row, event.ip, event.request_id],
    )
    return event


@pytest.mark.promise("G2")
async def test_a_change_that_cannot_be_recorded_does_not_happen(harness: Harness, monitor: DatabaseMonitor) -> None:
    await harness.add_user("alice")
    chief = await harness.add_user("chief", Role.SUPER_ADMIN)
    await monitor.execute("ALTER TABLE audit_events ADD CONSTRAINT full_up CHECK (false) NOT VALID")
    try:
        with capture_logs() as logs, pytest.raises(DatabaseError):
            await harness.call(GrantAdmin, chief, "alice")
    finally:
        await monitor.execute("ALTER TABLE audit_events DROP CONSTRAINT full_up")

    assert (await monitor.user("alice"))["role"] == "user"
    assert "audit" not in [line["event"] for line in logs]


async def test_pages_join_newest_first_without_gap_or_repeat_while_events_are_added(
    pages: AuditPages, owner: psycopg.Connection
) -> None:
    now = FakeClock().now()
    # Three at a time at each instant: ties are broken by id.
    events = [insert(owner, now + timedelta(seconds=number // 3)) for number in range(11)]

    read_events, request = [], AuditRequest(limit=3)
    while True:
        page = await pages(request)
        read_events += page.events
        insert(owner, now + timedelta(minutes=1))
        if page.next_cursor is None:
            break
        request = AuditRequest(limit=3, cursor=page.next_cursor)

    assert read_events == events[::-1]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [4, 3, 2, 1, 0]),
        ({"actor": "chief"}, [3, 1, 0]),
        ({"target": "alice"}, [4, 3, 0]),
        ({"action": "grant_admin"}, [1, 0]),
        ({"since": 1}, [4, 3, 2, 1]),
        ({"until": 3}, [2, 1, 0]),
        ({"since": 1, "until": 4, "actor": "chief"}, [3, 1]),
        ({"actor": "nobody"}, []),
    ],
)
async def test_filters_apply_alone_and_combined(
    pages: AuditPages, owner: psycopg.Connection, filters: dict[str, Any], expected: list[int]
) -> None:
    now = FakeClock().now()
    kinds = [
        ("grant_admin", "chief", "alice"),
        ("grant_admin", "chief", "bobby"),
        ("log_in", "bobby", "bobby"),
        ("revoke_admin", "chief", "alice"),
        ("log_in", None, "alice"),
    ]
    events = [
        insert(owner, now + timedelta(seconds=second), action=action, actor=actor, target=target)
        for second, (action, actor, target) in enumerate(kinds)
    ]
    values: dict[str, Any] = {
        key: now + timedelta(seconds=at) if isinstance(at, int) else at for key, at in filters.items()
    }

    assert (await pages(AuditRequest(**values))).events == [events[number] for number in expected]
    one_by_one = await pages(AuditRequest(limit=1, **values))
    assert one_by_one.events == [events[number] for number in expected[:1]]
    assert (one_by_one.next_cursor is None) == (len(expected) <= 1)


@pytest.mark.parametrize("other", [{"actor": "alice"}, {"target": "alice"}, {"action": "log_in"}])
async def test_a_cursor_serves_its_own_filters_alone(
    pages: AuditPages, owner: psycopg.Connection, other: dict[str, Any]
) -> None:
    for _ in range(2):
        insert(owner, FakeClock().now(), actor="alice", target="alice")
    unfiltered_cursor = (await pages(AuditRequest(limit=1))).next_cursor
    filtered_cursor = (await pages(AuditRequest(limit=1, **other))).next_cursor

    with pytest.raises(InvalidError):
        await pages(AuditRequest(limit=1, cursor=unfiltered_cursor, **other))
    with pytest.raises(InvalidError):
        await pages(AuditRequest(limit=1, cursor=filtered_cursor))
    assert len((await pages(AuditRequest(limit=5, cursor=filtered_cursor, **other))).events) == 1
