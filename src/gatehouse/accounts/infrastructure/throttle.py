"""Counted attempts in PostgreSQL, shared by all processes."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg.rows import scalar_row

from gatehouse.accounts.application.ports import Attempt, AttemptKind
from gatehouse.common.application.metrics import NO_METRICS, Counter, Metrics
from gatehouse.common.application.ports import Clock
from gatehouse.common.domain.errors import OutcomeUnknownError, ThrottledError, UnavailableError
from gatehouse.common.infrastructure.database import Database

# Atomic: each of several parallel attempts sees the count of the one before it. From the last free attempt on, each
# attempt doubles the wait for the next one. While a wait lasts, no row is returned, and nothing is counted.
_COUNT: Final = """
    INSERT INTO attempts AS attempt (key, count, next_at, forget_at)
    VALUES (%(key)s, 1, CASE WHEN %(free)s <= 1 THEN %(now)s + interval '1 second' ELSE %(now)s END, %(forget_at)s)
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN attempt.forget_at <= %(now)s THEN 1 ELSE attempt.count + 1 END,
        next_at = %(now)s + CASE
            WHEN attempt.forget_at <= %(now)s OR attempt.count + 1 < %(free)s THEN interval '0'
            ELSE least(interval '1 second' * power(2, least(attempt.count + 1 - %(free)s, 30)), %(longest)s)
        END,
        forget_at = %(forget_at)s
    WHERE attempt.count < %(free)s OR attempt.next_at <= %(now)s
    RETURNING count
"""
_WAIT: Final = "SELECT max(next_at) FROM attempts WHERE key = ANY(%(keys)s)"
_REFUND: Final = """
    UPDATE attempts SET count = count - 1, next_at = CASE WHEN count - 1 < %(free)s THEN %(now)s ELSE next_at END
    WHERE key = %(key)s AND count > 0
"""
_RESET: Final = "DELETE FROM attempts WHERE key = %(key)s"

REFUSALS: Final = Counter(
    name="gatehouse_throttle_refusals_total",
    help="Attempts that had to wait, by the limit that they met first.",
    labels=("kind",),
    series=tuple((kind.value,) for kind in AttemptKind),
)


@dataclass(frozen=True, slots=True)
class ThrottleTimes:
    """A count expires `memory` after the last attempt; no wait is longer than `longest`."""

    memory: timedelta
    longest: timedelta


class SqlThrottle:
    def __init__(self, database: Database, times: ThrottleTimes, clock: Clock, metrics: Metrics = NO_METRICS) -> None:
        self._database = database
        self._times = times
        self._clock = clock
        self._metrics = metrics

    async def count(self, *attempts: Attempt) -> None:
        try:
            await self._count(*attempts)
        except OutcomeUnknownError:  # a count is all that may have happened
            raise UnavailableError from None

    async def _count(self, *attempts: Attempt) -> None:
        now = self._clock.now()
        async with self._database.transaction() as connection:
            # In the order of their keys, so that requests with common keys queue up instead of deadlocking.
            ordered = sorted(attempts, key=lambda attempt: attempt.key)
            for index, attempt in enumerate(ordered):
                cursor = await connection.execute(_COUNT, self._parameters(attempt, now))
                if await cursor.fetchone() is None:
                    waits = connection.cursor(row_factory=scalar_row)
                    await waits.execute(_WAIT, {"keys": [other.key for other in ordered[index:]]})
                    until = await waits.fetchone()
                    self._metrics.count(REFUSALS, attempt.kind.value)
                    # Leaving by an exception rolls back what was counted before this key.
                    raise ThrottledError(_whole_seconds(until - now if until else timedelta()))

    async def refund(self, *attempts: Attempt) -> None:
        for attempt in attempts:
            await self._database.execute(_REFUND, self._parameters(attempt, self._clock.now()))

    async def reset(self, attempt: Attempt) -> None:
        await self._database.execute(_RESET, {"key": attempt.key})

    def _parameters(self, attempt: Attempt, now: datetime) -> dict[str, object]:
        return {
            "key": attempt.key,
            "free": attempt.free,
            "now": now,
            "longest": self._times.longest,
            "forget_at": now + self._times.memory,
        }


def _whole_seconds(wait: timedelta) -> int:
    return max(1, math.ceil(wait.total_seconds()))
