from gatehouse.accounts.application.ports import ExpiredRows
from gatehouse.common.application.ports import Clock
from gatehouse.common.application.use_case import command


@command
class PurgeSessions:
    """Deletes expired sessions and forgotten throttle counts, batch by batch, so that no lock is held for long."""

    rows: ExpiredRows
    clock: Clock

    async def __call__(self) -> int:
        purged = 0
        while batch := await self.rows.purge_batch(self.clock.now()):
            purged += batch
        return purged
