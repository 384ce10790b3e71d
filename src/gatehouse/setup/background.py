"""What a server does beside answering: it deletes what has expired."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog
from dishka import AsyncContainer

from gatehouse.accounts.application.commands.purge_sessions import PurgeSessions
from gatehouse.common.domain.errors import UnavailableError

PURGE_INTERVAL_SECONDS: Final = 300

_log = structlog.get_logger()


@asynccontextmanager
async def running_purge(container: AsyncContainer) -> AsyncIterator[None]:
    task = asyncio.create_task(_purge_regularly(container))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _purge_regularly(container: AsyncContainer) -> None:
    """Every replica tries; a lock in the database lets one of them do it at a time."""
    while True:
        await asyncio.sleep(PURGE_INTERVAL_SECONDS)
        try:
            async with container() as request:
                purged = await (await request.get(PurgeSessions))()
        except UnavailableError:
            continue  # logged where it arose; the next round tries again
        except Exception:  # noqa: BLE001  # whatever it is, the next round may succeed
            _log.exception("purge_failed")
            continue
        if purged:
            _log.info("purged", rows=purged)
