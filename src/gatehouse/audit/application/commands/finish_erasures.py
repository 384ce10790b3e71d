from gatehouse.audit.application.ports import UnfinishedErasures
from gatehouse.common.application.ports import Clock
from gatehouse.common.application.use_case import command


@command
class FinishErasures:
    """Erases what an erasure of an account has left in the trail, batch by batch: the rest of a long trail, and what
    was being recorded at that time. Then the name itself is forgotten.
    """

    erasures: UnfinishedErasures
    clock: Clock

    async def __call__(self) -> int:
        done = 0
        while batch := await self.erasures.finish_batch(self.clock.now()):
            done += batch
        return done
