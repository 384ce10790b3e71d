"""What a server does in the background: it deletes expired rows."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Final

import structlog
from dishka import AsyncContainer

from gatehouse.accounts.application.commands.purge_sessions import PurgeSessions
from gatehouse.common.application.background import run_in_background
from gatehouse.common.application.metrics import Counter, Metrics
from gatehouse.common.domain.errors import UnavailableError

PURGE_INTERVAL_SECONDS: Final = 300

PURGED: Final = Counter(name="gatehouse_purged_rows_total", help="Expired sessions and throttle counts deleted.")

_log = structlog.get_logger()


def run_purge(container: AsyncContainer) -> AbstractAsyncContextManager[None]:
    return run_in_background(_purge_regularly(container))


async def _purge_regularly(container: AsyncContainer) -> None:
    """Every server process tries; an advisory lock lets one of them purge at a time."""
    metrics = await container.get(Metrics)
    while True:
        await asyncio.sleep(PURGE_INTERVAL_SECONDS)
        try:
            async with container() as request_container:
                rows = await (await request_container.get(PurgeSessions))()
        except UnavailableError:
            continue  # logged where it arose; the next round tries again
        except Exception:  # noqa: BLE001  # whatever it is, the next round may succeed
            _log.exception("purge_failed")
            continue
        metrics.count(PURGED, by=rows)
        if rows:
            _log.info("purged", rows=rows)
