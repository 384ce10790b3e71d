"""The cookie with a client's write position."""

from http.cookies import SimpleCookie

import httpx
from starlette.types import Receive, Scope, Send

from gatehouse.common.infrastructure.replica.read_replica import ANSWER_WITHIN_SECONDS, MAX_LAG_SECONDS
from gatehouse.common.presentation.http.middleware.write_position import (
    COOKIE,
    WritePositionMiddleware,
    current_write_position,
)


async def write(_scope: Scope, _receive: Receive, send: Send) -> None:
    """An application that is at a later position afterwards."""
    current_write_position().lsn = "0/16B3748"
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def test_it_outlives_the_lag_of_every_replica_that_is_read_from() -> None:
    transport = httpx.ASGITransport(WritePositionMiddleware(write, secure=True))
    async with httpx.AsyncClient(transport=transport, base_url="https://gatehouse.test") as client:
        answer = await client.post("/")

    cookie = SimpleCookie(answer.headers["set-cookie"])[COOKIE]
    assert cookie.value == "0/16B3748"
    # A replica may fall behind until the next measurement, and be read from until that is answered.
    assert int(cookie["max-age"]) >= 2 * (MAX_LAG_SECONDS + ANSWER_WITHIN_SECONDS)
