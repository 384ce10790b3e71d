from asyncio import ensure_future, wait
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress
from typing import ClassVar

from gatehouse.accounts.application.ports import ErasedNames, Obstacle, UserBatches
from gatehouse.accounts.application.user_import import Batch, FileRow, ImportRun, ImportTally, UserReader
from gatehouse.accounts.domain.user import User
from gatehouse.common.application.ports import Audit, Transaction
from gatehouse.common.application.read_ahead import read_ahead
from gatehouse.common.application.use_case import command_in_steps, retry_on_conflict
from gatehouse.common.domain.audit import Subject
from gatehouse.common.domain.errors import GatehouseError, TransactionConflictError


@command_in_steps
class ImportUsers:
    """The operator takes over accounts of another system, on the command line only.

    Each batch is a transaction. What cannot be taken is refused, row by row, and the rest goes in. No account that is
    there is changed, so a run that was cut off is run again. The trail gets one event, with the last batch, or when the
    run is given up.
    """

    action: ClassVar = "import_users"

    reader: UserReader
    batches: UserBatches
    erased_names: ErasedNames
    audit: Audit
    transaction: Transaction

    async def __call__(self, run: ImportRun, rows: AsyncIterator[Sequence[FileRow]]) -> ImportTally:
        tally, is_recorded = ImportTally(), run.is_dry
        try:
            async with aclosing(read_ahead(self.reader.read(rows, run.rules))) as batches:
                async for batch, is_last in batches:
                    storing = ensure_future(self._store(run, tally, batch, is_last=is_last))
                    try:
                        await wait({storing})
                    finally:  # at an interrupt, too: what is going in is counted
                        obstacles = await storing
                        tally += batch.count(obstacles)
                        is_recorded = is_recorded or is_last
                        for line, reason in batch.all_refused(obstacles).items():
                            run.refuse(line, reason)
                        run.progressed(tally)
        except BaseException:  # an interrupt, too: what went in stays
            if tally.added and not is_recorded:
                with suppress(GatehouseError):
                    await self._record_alone(run, tally)
            raise
        return tally

    @retry_on_conflict
    async def _store(self, run: ImportRun, before: ImportTally, batch: Batch, *, is_last: bool) -> dict[int, Obstacle]:
        async with self.transaction:
            obstacles = await self._add(run, list(batch.users.values()))
            tally = before + batch.count(obstacles)
            if is_last and tally.added and not run.is_dry:
                await self._record(run, tally)
        return obstacles

    async def _add(self, run: ImportRun, users: Sequence[User]) -> dict[int, Obstacle]:
        kept = await self.erased_names.find_kept([user.username for user in users])
        obstacles = {place: Obstacle.NAME_KEPT for place, user in enumerate(users) if user.username in kept}
        places = [place for place in range(len(users)) if place not in obstacles]
        rest = [users[place] for place in places]
        found = await (self.batches.check(rest) if run.is_dry else self.batches.add(rest))
        # To add them may have waited for an erasure, whose name is kept since then.
        if await self.erased_names.find_kept([user.username for user in rest]):
            raise TransactionConflictError
        return obstacles | {places[place]: obstacle for place, obstacle in found.items()}

    async def _record_alone(self, run: ImportRun, tally: ImportTally) -> None:
        async with self.transaction:
            await self._record(run, tally)

    async def _record(self, run: ImportRun, tally: ImportTally) -> None:
        await self.audit.record(self.action, actor=None, subject=Subject("import", str(run.id), str(tally)))
