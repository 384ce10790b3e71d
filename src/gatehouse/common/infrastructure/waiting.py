"""Waiting for a database that may keep silent."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from gatehouse.common.domain.errors import UnavailableError


async def answered_within[Answer](seconds: float, question: Coroutine[object, object, Answer]) -> Answer:
    """Raises UnavailableError when there is no answer by then. The question is called off, but not waited for any
    longer: asking a silent server to drop it takes as long again.
    """
    task = asyncio.ensure_future(question)
    answered, _ = await asyncio.wait({task}, timeout=seconds)
    if not answered:
        task.add_done_callback(forget)
        task.cancel()
        raise UnavailableError
    return task.result()


def forget(task: asyncio.Future[Any]) -> None:
    """Takes note of an outcome that nobody waits for."""
    if not task.cancelled():
        task.exception()
