"""Waiting for a database that may keep silent."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from gatehouse.common.domain.errors import UnavailableError


async def wait_for_answer[Answer](seconds: float, question: Coroutine[object, object, Answer]) -> Answer:
    """Raises UnavailableError when there is no answer by then. The question is cancelled, but its end is not awaited:
    asking a silent server to drop it takes as long again.
    """
    task = asyncio.ensure_future(question)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        task.add_done_callback(ignore_outcome)
        task.cancel()
        raise UnavailableError
    return task.result()


def ignore_outcome(task: asyncio.Future[Any]) -> None:
    """Retrieves an outcome that nobody waits for, which asyncio would otherwise complain about."""
    if not task.cancelled():
        task.exception()
