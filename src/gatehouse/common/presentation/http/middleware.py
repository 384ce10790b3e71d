"""What every request passes before it reaches a route. Pure ASGI: nothing here buffers or wraps an answer."""

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

import structlog
from dishka import AsyncContainer
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid6 import uuid7

from gatehouse.common.domain.errors import GatehouseError
from gatehouse.common.presentation.http.errors import (
    ContentTooLargeError,
    CrossSiteRequestError,
    InternalError,
    InvalidHostError,
    UnsupportedMediaTypeError,
)
from gatehouse.common.presentation.http.problems import problem_response

MAX_BODY_BYTES: Final = 16 * 1024
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_HOST: Final = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
PROBES: Final = frozenset({"/livez", "/readyz"})
SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_HSTS: Final = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

_log = structlog.get_logger()


class RequestMiddleware:
    """Around everything else: names every request, in the answer and in every log line, puts the security headers on
    every answer, and answers what nobody foresaw with an opaque 500.
    """

    def __init__(self, app: ASGIApp, *, hsts: bool) -> None:
        self._app = app
        headers = {**SECURITY_HEADERS, **(_HSTS if hsts else {})}
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("x-request-id", "")
        request_id = asked if _REQUEST_ID.fullmatch(asked) else str(uuid7())
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def send_named(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = message["headers"]
                present = {name for name, _ in headers}
                headers.extend(header for header in self._headers if header[0] not in present)
                headers.append((b"x-request-id", request_id.encode()))
            await send(message)

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self._app(scope, receive, send_named)
        except Exception:
            _log.exception("internal_error", method=scope["method"])
            if started:
                raise
            response = problem_response(InternalError(), request_id)
            if on_refusal := scope["state"].get("on_refusal"):
                on_refusal(response)
            await response(scope, receive, send_named)


class HostMiddleware:
    """Answers only to its own names, so that nothing is ever built from a Host that an attacker chose.

    The probes are asked by address, and build nothing.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in PROBES:
            asked = Headers(scope=scope).getlist("host")
            if len(asked) != 1 or _host_name(asked[0]) not in self._hosts:
                await _refuse(InvalidHostError(), scope, receive, send)
                return
        await self._app(scope, receive, send)


class CrossSiteMiddleware:
    """Refuses state changes that another site's page makes in a visitor's browser.

    Fetch Metadata decides where it is present, else Origin (OWASP Cross-Site Request Forgery Prevention). A client
    that sends neither is no browser and carries no visitor's cookies.
    """

    def __init__(self, app: ASGIApp, origin: str) -> None:
        self._app = app
        self._origin = _normalized(origin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS and self._is_cross_site(scope):
            await _refuse(CrossSiteRequestError(), scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_cross_site(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        sites = headers.getlist("sec-fetch-site")
        if sites:
            return any(site not in ("same-origin", "none") for site in sites)
        return any(_normalized(origin) != self._origin for origin in headers.getlist("origin"))


class JsonBodyMiddleware:
    """Takes JSON bodies of at most 16 KiB, announced or chunked, and hands them on whole."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        if "transfer-encoding" not in headers and length in ("", "0"):
            await self._app(scope, receive, send)
            return
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            await _refuse(UnsupportedMediaTypeError(), scope, receive, send)
            return
        try:
            body = await _read(receive) if not length or int(length) <= MAX_BODY_BYTES else None
        except ClientDisconnect:
            return  # before the end of its request: what has arrived is not what it asked for
        if body is None:
            await _refuse(ContentTooLargeError(), scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)


class ContainerMiddleware:
    """Opens the container of the request's own objects, and closes it afterwards.

    Dishka's own leaves request and container holding each other; then only the garbage collector finds them, and it
    stops all requests while it looks.
    """

    def __init__(self, app: ASGIApp, container: AsyncContainer) -> None:
        self._app = app
        self._container = container

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope["state"]
        async with self._container({Request: Request(scope, receive, send)}) as container:
            state["dishka_container"] = container  # where Dishka's routes look for it
            try:
                await self._app(scope, receive, send)
            finally:
                del state["dishka_container"]


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

    async def replayed() -> Message:
        return pending.pop() if pending else await receive()

    return replayed


async def _refuse(error: GatehouseError, scope: Scope, receive: Receive, send: Send) -> None:
    client = scope.get("client")
    _log.info(
        "refused",
        problem=error.slug,
        method=scope["method"],
        path=scope["path"],
        ip=client[0] if client else None,
    )
    await problem_response(error, scope["state"]["request_id"])(scope, receive, send)


def _host_name(host: str) -> str | None:
    found = _HOST.fullmatch(host)
    return found[1].strip("[]").lower() if found else None


def _normalized(origin: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port as browsers compare them; whatever cannot be read equals nothing configured."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return "", None, None
    return parts.scheme, parts.hostname, port or {"http": 80, "https": 443}.get(parts.scheme)
