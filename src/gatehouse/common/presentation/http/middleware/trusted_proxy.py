"""What a trusted proxy says of the client."""

from typing import TYPE_CHECKING

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope


class TrustedProxyMiddleware(ProxyHeadersMiddleware):
    """Takes the client's address from a trusted proxy, and notes that it did: the peer is not known afterwards."""

    async def __call__(self, scope: "Scope", receive: "ASGIReceiveCallable", send: "ASGISendCallable") -> None:
        if scope["type"] == "http":
            peer = scope["client"]
            is_trusted = peer is not None and peer[0] in self.trusted_hosts
            scope.setdefault("state", {})["is_from_trusted_proxy"] = is_trusted
        await super().__call__(scope, receive, send)
