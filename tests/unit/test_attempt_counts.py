"""How much of the audit trail attempts that did not succeed can take, in a minute of one process."""

from datetime import timedelta

import pytest

from gatehouse.audit.infrastructure.attempt_counts import (
    EVENTS_PER_ACTOR,
    MAX_EVENTS,
    MAX_GROUPS,
    AttemptCounts,
    AttemptGroup,
)
from gatehouse.common.domain.audit import Outcome
from gatehouse.testing.fakes import FakeClock

pytestmark = pytest.mark.promise("G4")


def refusals_of(actor: str) -> AttemptGroup:
    return AttemptGroup(Outcome.REFUSED, actor=actor)


def throttled_at(address: str) -> AttemptGroup:
    return AttemptGroup(Outcome.THROTTLED, "log_in", address=address)


OTHERS = AttemptGroup(Outcome.REFUSED)


def test_the_first_of_one_caller_are_events_and_the_rest_are_counted() -> None:
    counts = AttemptCounts(FakeClock())

    are_events = [counts.admit(refusals_of("mallory"), EVENTS_PER_ACTOR) for _ in range(1000)]

    assert are_events == [True] * EVENTS_PER_ACTOR + [False] * (1000 - EVENTS_PER_ACTOR)
    assert counts.end_minute() == [(refusals_of("mallory"), 1000 - EVENTS_PER_ACTOR)]


def test_one_caller_does_not_use_up_what_is_another_s() -> None:
    counts = AttemptCounts(FakeClock())
    for _ in range(1000):
        counts.admit(refusals_of("mallory"), EVENTS_PER_ACTOR)

    assert counts.admit(refusals_of("oscar"), EVENTS_PER_ACTOR)


def test_however_many_callers_there_are_the_events_and_the_counts_of_a_minute_are_bounded() -> None:
    counts = AttemptCounts(FakeClock())

    attempts = [counts.admit(refusals_of(f"user{number}"), EVENTS_PER_ACTOR) for number in range(1000) for _ in "ab"]

    counted = counts.end_minute()
    assert sum(attempts) == MAX_EVENTS
    assert len(counted) == MAX_GROUPS + 1
    assert counted[-1][0] == OTHERS
    assert sum(attempts) + sum(count for _, count in counted) == 2000


def test_attempts_of_one_outcome_take_nothing_from_another() -> None:
    counts = AttemptCounts(FakeClock())
    for number in range(1000):
        counts.count(throttled_at(f"192.0.2.{number}"))
        counts.admit(AttemptGroup(Outcome.FAILED), MAX_EVENTS)

    assert counts.admit(refusals_of("mallory"), 1)
    assert not counts.admit(refusals_of("mallory"), 1)
    assert (refusals_of("mallory"), 1) in counts.end_minute()


def test_throttled_attempts_are_counted_by_address_and_action() -> None:
    counts = AttemptCounts(FakeClock())
    sign_ups = AttemptGroup(Outcome.THROTTLED, "sign_up", address="192.0.2.1")

    for group in (throttled_at("192.0.2.1"), sign_ups, throttled_at("192.0.2.1"), throttled_at("192.0.2.2")):
        counts.count(group)

    assert counts.end_minute() == [(throttled_at("192.0.2.1"), 2), (sign_ups, 1), (throttled_at("192.0.2.2"), 1)]


def test_one_that_is_counted_by_itself_stays_so_when_there_is_no_room_for_more() -> None:
    counts = AttemptCounts(FakeClock())
    groups = [throttled_at(f"192.0.2.{number}") for number in range(MAX_GROUPS + 1)]

    for group in (*groups, groups[0]):
        counts.count(group)

    counted = dict(counts.end_minute())
    assert (counted[groups[0]], counted[AttemptGroup(Outcome.THROTTLED)]) == (2, 1)


def test_the_next_minute_begins_with_nothing() -> None:
    counts = AttemptCounts(FakeClock())
    for _ in range(2):
        counts.admit(refusals_of("mallory"), 1)
    counts.end_minute()

    assert counts.end_minute() == []
    assert counts.admit(refusals_of("mallory"), 1)


def test_a_minute_begins_with_its_first_attempt() -> None:
    clock = FakeClock()
    counts = AttemptCounts(clock)
    clock.advance(timedelta(hours=1))
    over = [counts.is_minute_over]

    counts.count(OTHERS)
    for seconds in (59, 1):
        clock.advance(timedelta(seconds=seconds))
        over.append(counts.is_minute_over)
    counts.end_minute()
    over.append(counts.is_minute_over)
    counts.admit(OTHERS, 1)
    clock.advance(timedelta(minutes=1))

    assert [*over, counts.is_minute_over] == [False, False, True, False, True]
