"""Request bodies: JSON, or forms where pages are, plain and small."""

from typing import Final

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatehouse.common.presentation.http.errors import ContentTooLargeError, FormRequiredError, UnsupportedMediaTypeError
from gatehouse.common.presentation.http.headers import header_values
from gatehouse.common.presentation.http.middleware.refuse import refuse
from gatehouse.common.presentation.http.web_pages import web_pages_of

MAX_BODY_BYTES: Final = 16 * 1024
_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"


class BodyMiddleware:
    """Accepts bodies of at most 16 KiB, with Content-Length or chunked, and passes them on as one message: JSON alone,
    which no form of another site can send, and forms alone where the pages are that send them.

    None is unpacked: a content coding makes a small body a large one, and hides it from whoever looks at it on the way.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = "".join(header_values(scope, b"content-length"))
        if length in ("", "0") and not header_values(scope, b"transfer-encoding"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        codings = headers.getlist("content-encoding")
        is_page = web_pages_of(scope) is not None
        if media_type != (_FORM if is_page else _JSON) or any(c.strip().lower() != "identity" for c in codings):
            await refuse(FormRequiredError() if is_page else UnsupportedMediaTypeError(), scope, receive, send)
            return
        try:
            body = await _read(receive) if not length or int(length) <= MAX_BODY_BYTES else None
        except ClientDisconnect:
            return  # the client disconnected before the end of the body: an incomplete request is not executed
        if body is None:
            await refuse(ContentTooLargeError(), scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)


async def _read(receive: Receive) -> bytes | None:
    """The body, or None as soon as it is too large."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_body() -> Message:
        return pending.pop() if pending else await receive()

    return receive_body
