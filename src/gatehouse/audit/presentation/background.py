"""What a server does in the background: it finishes erasures."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Final

import structlog
from dishka import AsyncContainer

from gatehouse.audit.application.commands.finish_erasures import FinishErasures
from gatehouse.common.application.background import run_in_background
from gatehouse.common.domain.errors import UnavailableError

LOOK_EVERY_SECONDS: Final = 60

_log = structlog.get_logger()


def run_erasures(container: AsyncContainer) -> AbstractAsyncContextManager[None]:
    return run_in_background(_finish_regularly(container))


async def _finish_regularly(container: AsyncContainer) -> None:
    """Every server process looks; a row's lock lets one of them work at it."""
    while True:
        await asyncio.sleep(LOOK_EVERY_SECONDS)
        try:
            async with container() as request_container:
                await (await request_container.get(FinishErasures))()
        except UnavailableError:
            continue  # logged where it arose; the next round tries again
        except Exception:  # noqa: BLE001  # whatever it is, the next round may succeed
            _log.exception("erasure_not_finished")
