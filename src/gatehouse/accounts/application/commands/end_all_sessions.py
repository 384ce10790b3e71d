from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from gatehouse.accounts.application.ports import Sessions
from gatehouse.common.application.ports import Audit, Clock, Transaction
from gatehouse.common.application.use_case import command


@dataclass(frozen=True, slots=True)
class Progress:
    """How many sessions have ended, and where to go on."""

    opened_until: datetime
    ended: int = 0
    after: bytes = b""
    ended_before_this_pass: int = 0
    is_done: bool = False


@command
class EndAllSessions:
    """The operator ends every session that there is, on the command line only, as after a leak. Those that are opened
    meanwhile stay.

    A call ends one batch, so that no lock is held for long, and gives back what the next call begins with. The event is
    recorded with the first session that ends.
    """

    action: ClassVar = "end_all_sessions"

    sessions: Sessions
    audit: Audit
    clock: Clock
    transaction: Transaction

    async def __call__(self, progress: Progress | None = None) -> Progress:
        progress = progress or Progress(self.clock.now())
        async with self.transaction:
            batch = await self.sessions.end_batch(opened_until=progress.opened_until, after=progress.after)
            if batch.ended and not progress.ended:
                await self.audit.record(self.action, actor=None)
        ended = progress.ended + batch.ended
        if batch.last is not None:
            return replace(progress, ended=ended, after=batch.last)
        # Again from the beginning, for what was being written meanwhile, until a pass finds nothing.
        is_done = ended == progress.ended_before_this_pass
        return replace(progress, ended=ended, after=b"", ended_before_this_pass=ended, is_done=is_done)
