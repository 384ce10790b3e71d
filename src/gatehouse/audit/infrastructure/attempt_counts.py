"""Which attempts become events of their own, and which are only counted: so nobody fills the audit trail."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gatehouse.common.application.ports import Clock
from gatehouse.common.domain.audit import FURTHER_ATTEMPTS, Outcome

EVENTS_PER_ACTOR: Final = 5
"""How many refused acts of one caller become events of their own within a minute."""
MAX_EVENTS: Final = 100
"""How many attempts of one outcome become events of their own within a minute."""
MAX_GROUPS: Final = 100
"""How many groups of one outcome are counted each by itself within a minute."""
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class AttemptGroup:
    """Attempts that are counted together: those of one caller or one address, or with neither, all others."""

    outcome: Outcome
    action: str = FURTHER_ATTEMPTS
    actor: str | None = None
    address: str | None = None


class AttemptCounts:
    """Of one minute, which begins with its first attempt, in one process. Bounded, whoever and how many they are."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ends_at: datetime | None = None
        self._events = defaultdict[Outcome, Counter[AttemptGroup]](Counter)
        self._counted = defaultdict[Outcome, Counter[AttemptGroup]](Counter)

    def admit(self, group: AttemptGroup, limit: int) -> bool:
        """Whether this attempt becomes an event of its own, one of at most `limit` of its group. If not, counts it."""
        self._begin_minute()
        events = self._events[group.outcome]
        if events[group] < limit and events.total() < MAX_EVENTS:
            events[group] += 1
            return True
        self.count(group)
        return False

    def count(self, group: AttemptGroup) -> None:
        self._begin_minute()
        counted = self._counted[group.outcome]
        has_room = group in counted or len(counted) < MAX_GROUPS
        counted[group if has_room else AttemptGroup(group.outcome)] += 1

    @property
    def is_minute_over(self) -> bool:
        return self._ends_at is not None and self._clock.now() >= self._ends_at

    def end_minute(self) -> list[tuple[AttemptGroup, int]]:
        """What was counted. The next minute begins with nothing."""
        self._ends_at = None
        counted = [item for counts in self._counted.values() for item in counts.items()]
        self._events.clear()
        self._counted.clear()
        return counted

    def _begin_minute(self) -> None:
        if self._ends_at is None:
            self._ends_at = self._clock.now() + _MINUTE
