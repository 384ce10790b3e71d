from dataclasses import dataclass

from gatehouse.accounts.application.ports import Clock, ExpiredRows


@dataclass(frozen=True, slots=True)
class PurgeSessions:
    """Deletes expired sessions and forgotten throttle counts, batch by batch, so that no lock is held for long."""

    rows: ExpiredRows
    clock: Clock

    async def __call__(self) -> int:
        purged = 0
        while batch := await self.rows.purge_batch(self.clock.now()):
            purged += batch
        return purged
