"""Attempts that did not succeed are recorded in the background, and no number of them fills the audit trail."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.testing import capture_logs

from gatehouse.audit.infrastructure import failed_attempts
from gatehouse.audit.infrastructure.attempt_counts import EVENTS_PER_ACTOR, MAX_EVENTS
from gatehouse.audit.infrastructure.audit_trail import AuditEventFactory
from gatehouse.audit.infrastructure.failed_attempts import (
    NOT_STORED,
    FailureWriter,
    SqlFailedAttempts,
    run_failure_writer,
)
from gatehouse.common.application.ports import FailedAttempts
from gatehouse.common.domain.audit import Outcome, Subject
from gatehouse.common.infrastructure.database import Database, open_database
from gatehouse.testing.audit.fakes import FakeFailedAttempts
from gatehouse.testing.fakes import CONTEXT, FakeClock, FakeEvent, FakeMetrics
from tests.integration.conftest import DatabaseMonitor, stored_events, until

POOL_WAIT = "gatehouse.common.infrastructure.database.POOL_WAIT_SECONDS"
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"

type Recorded = Callable[[], Awaitable[list[FakeEvent]]]


def failed(target: str) -> FakeEvent:
    return FakeEvent("log_in", None, target, Outcome.FAILED)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def writer(small_pool: Database, clock: FakeClock) -> AsyncIterator[FailureWriter]:
    async with run_failure_writer(small_pool, clock) as writer:
        yield writer


def attempts_of(writer: FailureWriter, clock: FakeClock) -> SqlFailedAttempts:
    return SqlFailedAttempts(writer, AuditEventFactory(CONTEXT, clock))


@pytest.fixture
def attempts(writer: FailureWriter, clock: FakeClock) -> SqlFailedAttempts:
    return attempts_of(writer, clock)


@pytest.fixture(params=["fake", "sql"])
def port(
    request: pytest.FixtureRequest, small_pool: Database, writer: FailureWriter, attempts: SqlFailedAttempts
) -> tuple[FailedAttempts, Recorded]:
    """One contract, two kinds."""
    fake = FakeFailedAttempts()

    async def recorded() -> list[FakeEvent]:
        await writer.flush()
        return fake.events if request.param == "fake" else await stored_events(small_pool)

    return fake if request.param == "fake" else attempts, recorded


@pytest.mark.promise("G1", "G4")
async def test_each_attempt_is_recorded_with_its_outcome(port: tuple[FailedAttempts, Recorded]) -> None:
    attempts, recorded = port

    attempts.record_failed("log_in", actor=None, target="alice")
    attempts.record_failed("change_password", actor="alice", target="alice")
    attempts.record_refused("grant_admin", actor="mallory", target="Mallory")
    attempts.record_refused("get_user", actor="mallory", target="no name at all")
    attempts.record_refused("list_users", actor="mallory", target=None)
    attempts.record_throttled("log_in", address="192.0.2.9")

    assert await recorded() == [
        FakeEvent("log_in", None, "alice", Outcome.FAILED),
        FakeEvent("change_password", "alice", "alice", Outcome.FAILED),
        FakeEvent("grant_admin", "mallory", "mallory", Outcome.REFUSED),
        FakeEvent("get_user", "mallory", None, Outcome.REFUSED),
        FakeEvent("list_users", "mallory", None, Outcome.REFUSED),
        FakeEvent("log_in", None, None, Outcome.THROTTLED, Subject("attempts", "192.0.2.9", "1 attempt")),
    ]


@pytest.mark.promise("G4")
async def test_throttled_attempts_are_one_event_a_minute_for_each_address_and_action(
    small_pool: Database, writer: FailureWriter, attempts: SqlFailedAttempts
) -> None:
    for _ in range(37):
        attempts.record_throttled("log_in", address="192.0.2.1")
    attempts.record_throttled("sign_up", address="192.0.2.1")
    attempts.record_throttled("log_in", address="2001:db8:1:2::")

    assert await stored_events(small_pool) == []
    await writer.flush()

    throttled = [
        ("log_in", Subject("attempts", "192.0.2.1", "37 attempts")),
        ("sign_up", Subject("attempts", "192.0.2.1", "1 attempt")),
        ("log_in", Subject("attempts", "2001:db8:1:2::", "1 attempt")),
    ]
    assert await stored_events(small_pool) == [
        FakeEvent(action, None, None, Outcome.THROTTLED, subject) for action, subject in throttled
    ]


@pytest.mark.promise("G4")
async def test_beyond_the_first_ones_of_a_minute_a_caller_s_refused_acts_are_one_event(
    small_pool: Database, writer: FailureWriter, attempts: SqlFailedAttempts
) -> None:
    for _ in range(EVENTS_PER_ACTOR + 995):
        attempts.record_refused("grant_admin", actor="mallory", target="mallory")
    await writer.flush()

    rest = Subject("attempts", "mallory", "995 attempts")
    assert await stored_events(small_pool) == [
        *[FakeEvent("grant_admin", "mallory", "mallory", Outcome.REFUSED)] * EVENTS_PER_ACTOR,
        FakeEvent("further_attempts", "mallory", None, Outcome.REFUSED, rest),
    ]


@pytest.mark.promise("G4")
async def test_beyond_the_first_ones_of_a_minute_failed_logins_are_one_event_and_one_line(
    small_pool: Database, writer: FailureWriter, attempts: SqlFailedAttempts
) -> None:
    with capture_logs() as logs:
        for number in range(MAX_EVENTS + 7):
            attempts.record_failed("log_in", actor=None, target=f"alice{number:03}")
        await writer.flush()

    rest = FakeEvent("further_attempts", None, None, Outcome.FAILED, Subject("attempts", "others", "7 attempts"))
    assert await stored_events(small_pool) == [*(failed(f"alice{n:03}") for n in range(MAX_EVENTS)), rest]
    assert len(logs) == MAX_EVENTS + 1


@pytest.mark.promise("G4")
async def test_what_was_counted_is_written_at_the_end_of_the_minute(
    small_pool: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failed_attempts, "_TICK_SECONDS", 0)
    async with run_failure_writer(small_pool, clock) as writer:
        attempts_of(writer, clock).record_throttled("log_in", address="192.0.2.1")
        clock.advance(timedelta(seconds=59))
        for _ in range(10):
            await asyncio.sleep(0)
        assert await stored_events(small_pool) == []

        async def is_stored() -> bool:
            return len(await stored_events(small_pool)) == 1

        clock.advance(timedelta(seconds=1))
        await until(is_stored)


async def test_what_is_left_at_the_end_is_written_before_it_closes(small_pool: Database, clock: FakeClock) -> None:
    async with run_failure_writer(small_pool, clock) as writer:
        attempts = attempts_of(writer, clock)
        for number in range(20):
            attempts.record_failed("log_in", actor=None, target=f"alice{number:02}")
        attempts.record_throttled("log_in", address="192.0.2.1")

    *failures, counted = await stored_events(small_pool)
    assert failures == [failed(f"alice{number:02}") for number in range(20)]
    assert counted.outcome is Outcome.THROTTLED


async def test_beyond_a_thousand_waiting_events_only_the_log_records_them(
    small_pool: Database, clock: FakeClock
) -> None:
    metrics = FakeMetrics()
    writer = FailureWriter(small_pool, clock, metrics)
    event = AuditEventFactory(CONTEXT, clock).make("log_in", Outcome.FAILED, None, "alice")

    with capture_logs() as logs:
        for _ in range(1001):
            writer.put(event)

    events = [line["event"] for line in logs]
    assert (events.count("audit"), events.count("audit_event_not_stored")) == (1001, 1)
    assert metrics.counted(NOT_STORED) == 1


async def test_failures_go_on_being_written_when_the_database_is_back(
    small_pool: Database, writer: FailureWriter, attempts: SqlFailedAttempts, monitor: DatabaseMonitor
) -> None:
    await monitor.execute("ALTER TABLE audit_events RENAME TO gone")
    try:
        attempts.record_failed("log_in", actor=None, target="alice")
        await writer.flush()
    finally:
        await monitor.execute("ALTER TABLE gone RENAME TO audit_events")
    attempts.record_failed("log_in", actor=None, target="bobby")
    await writer.flush()

    assert await stored_events(small_pool) == [failed("bobby")]


async def test_the_writers_log_lines_have_no_request_id(
    small_pool: Database, monitor: DatabaseMonitor, clock: FakeClock
) -> None:
    with bound_contextvars(request_id="the first"), capture_logs([merge_contextvars]) as logs:
        async with run_failure_writer(small_pool, clock, metrics := FakeMetrics()) as writer:
            await monitor.execute("ALTER TABLE audit_events RENAME TO gone")
            attempts_of(writer, clock).record_failed("log_in", actor=None, target="alice")
            await writer.flush()
            await monitor.execute("ALTER TABLE gone RENAME TO audit_events")

    (line,) = [line for line in logs if line["event"] == "audit_event_not_stored"]
    assert "request_id" not in line
    assert metrics.counted(NOT_STORED) == 1


@pytest.fixture
async def unreachable(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    monkeypatch.setattr(POOL_WAIT, 0.5)
    async with open_database(NOWHERE, 1) as database:
        yield database


async def test_closing_does_not_wait_long_for_a_database_that_is_away(
    unreachable: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failed_attempts, "_CLOSING_SECONDS", 0.1)
    with capture_logs() as logs:
        async with run_failure_writer(unreachable, clock) as writer:
            for number in range(MAX_EVENTS):
                attempts_of(writer, clock).record_failed("log_in", actor=None, target=f"alice{number:03}")

    assert "audit_events_not_stored" in [line["event"] for line in logs]
