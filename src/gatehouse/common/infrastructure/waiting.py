"""Waiting, with a timeout, for a database that may not respond."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from gatehouse.common.domain.errors import UnavailableError


async def wait_for_answer[Answer](seconds: float, call: Coroutine[object, object, Answer]) -> Answer:
    """Raises UnavailableError after the timeout. The call is then cancelled, but its end is not awaited: cancelling a
    statement on an unresponsive server would take as long again.
    """
    task = asyncio.ensure_future(call)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        _abandon(task)
        raise
    if not done:
        _abandon(task)
        raise UnavailableError
    return task.result()


def _abandon(task: asyncio.Future[Any]) -> None:
    task.add_done_callback(_ignore_outcome)
    task.cancel()


def _ignore_outcome(task: asyncio.Future[Any]) -> None:
    """Retrieves an outcome that nobody waits for, which asyncio would otherwise complain about."""
    if not task.cancelled():
        task.exception()
