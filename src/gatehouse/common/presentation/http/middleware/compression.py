"""Compressed answers (RFC 9110, 8.4 and 12.5.3)."""

import gzip
import re
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatehouse.common.presentation.http.headers import header_values

_LEVEL: Final = 4
"""Of 9, which take five times as long for a twentieth less."""
_MAX_BYTES: Final = 256 * 1024
"""Compressing more at once would keep all other requests waiting."""
_TYPES: Final = re.compile(rb"(?:text/|application/(?:[a-z.+-]+\+)?json|application/javascript|image/svg\+xml)")
# Space is matched in one place only: where two parts of a pattern may take it, a long row of it takes them seconds.
_CODING: Final = re.compile(r"([A-Za-z0-9*-]+)(?:[ \t]*;[ \t]*q=([01](?:\.[0-9]{0,3})?))?", re.IGNORECASE)


class CompressionMiddleware:
    """Packs an answer of at least `min_bytes` for a client that takes gzip.

    Not one that comes in pieces, since it may be meant to arrive piece by piece, or that is packed already. Not one
    with an ETag either: that names the bytes as they are, and If-Match must find it again.
    """

    def __init__(self, app: ASGIApp, min_bytes: int) -> None:
        self._app = app
        self._min_bytes = min_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message | None = None

        async def send_packed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message  # its headers depend on the body
                return
            if start is not None:
                head, start = start, None
                if self._may_pack(head, message):
                    head["headers"].append((b"vary", b"Accept-Encoding"))
                    if accepts_gzip(",".join(header_values(scope, b"accept-encoding"))):
                        message = _pack(head, message)
                await send(head)
            await send(message)

        await self._app(scope, receive, send_packed)

    def _may_pack(self, head: Message, body: Message) -> bool:
        if body.get("more_body") or not self._min_bytes <= len(body.get("body", b"")) <= _MAX_BYTES:
            return False
        headers = dict(head["headers"])
        if _TYPES.match(headers.get(b"content-type", b"")) is None:
            return False
        return headers.keys().isdisjoint({b"content-encoding", b"content-range", b"etag"})


def accepts_gzip(accepted: str) -> bool:
    """By Accept-Encoding. What stands in no list of codings is taken for no."""
    weights = {}
    for entry in accepted.split(","):
        coding = _CODING.fullmatch(entry.strip(" \t"))
        if coding is not None:
            weights[coding[1].lower()] = float(coding[2] or 1)
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0))) > 0


def _pack(head: Message, body: Message) -> Message:
    packed = gzip.compress(body["body"], _LEVEL, mtime=0)
    head["headers"] = [
        *(header for header in head["headers"] if header[0] != b"content-length"),
        (b"content-encoding", b"gzip"),
        (b"content-length", str(len(packed)).encode()),
    ]
    return {**body, "body": packed}
