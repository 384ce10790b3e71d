"""Calls that come to the same point at the same time, without a sleep that decides who is first."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from psycopg import AsyncConnection, sql

PATIENCE_SECONDS: Final = 20
_LOOK_AGAIN: Final = "SELECT pg_stat_clear_snapshot()"
"""In a transaction PostgreSQL shows what the others did at the first look, however often one asks."""
_WAITING: Final = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'gatehouse' AND wait_event_type = 'Lock'
"""


async def race[Result](owner_url: str, table: str, *calls: Coroutine[Any, Any, Result]) -> list[Result | BaseException]:
    """What each call returned or raised, in their order.

    All of them get as far as they can while nobody may write to the table: each has read what it decides by, or waits
    for another one of them. Then the table is let go. Each call needs a connection of its own: see `on_database` in
    running_app.py. `owner_url` is the fixture.
    """
    async with await AsyncConnection.connect(owner_url) as owner:
        await owner.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(sql.Identifier(table)))
        tasks = [asyncio.create_task(call) for call in calls]
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                # What the server's connections wait for sets no event here.
                while await _number_waiting(owner) < len([task for task in tasks if not task.done()]):  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
        except TimeoutError:
            for task in tasks:
                task.cancel()
            raise TimeoutError("Not all calls came to a lock: is the pool as large as their number?") from None
    return await asyncio.gather(*tasks, return_exceptions=True)


async def _number_waiting(owner: AsyncConnection) -> int:
    await owner.execute(_LOOK_AGAIN)
    [number] = await (await owner.execute(_WAITING)).fetchone() or [0]
    return int(number)
