"""An answer of any length, a line at a time."""

import asyncio
from collections.abc import AsyncIterator

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gatehouse.common.domain.errors import GatehouseError

_log = structlog.get_logger()


class StreamedLines(Response):
    """Newline-delimited JSON. The next batch is asked for when the client has taken what came before it, but for what
    the connection buffers; when the client has gone, no further one is.

    What is wrong with a later batch cannot become another status: the answer then lacks its last chunk, without which
    no client takes it for complete (RFC 9112, 8).
    """

    media_type = "application/x-ndjson"

    def __init__(self, batches: AsyncIterator[bytes]) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._batches = batches

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        gone = asyncio.create_task(_wait_until_gone(receive))
        try:
            async for lines in self._batches:
                await send({"type": "http.response.body", "body": lines, "more_body": True})
                if gone.done():
                    return
        except GatehouseError as error:
            _log.warning("answer_cut_off", problem=error.slug)
            return
        finally:
            gone.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
