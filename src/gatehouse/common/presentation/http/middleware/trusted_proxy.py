"""What a trusted proxy says of the client."""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

type _Address = IPv4Address | IPv6Address

_MAX_HOPS: Final = 16
"""More than anyone has proxies: the rest of a longer chain is not looked at."""


class TrustedProxyMiddleware:
    """Takes the client's address from a trusted proxy, and notes that it did: the peer is not known afterwards.

    Each proxy appends the address that it was called from. The client is thus the last one that is no proxy. A peer
    without an address (a Unix socket) is not trusted.
    """

    def __init__(self, app: ASGIApp, networks: Collection[IPv4Network | IPv6Network]) -> None:
        self._app = app
        self._networks = networks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["client"] is not None:
            peer = _parse_address(scope["client"][0])
            if peer is not None and self._trusts(peer):
                scope.setdefault("state", {})["is_from_trusted_proxy"] = True
                scope["client"] = (str(self._find_client(peer, scope["headers"])), 0)
        await self._app(scope, receive, send)

    def _find_client(self, peer: _Address, headers: list[tuple[bytes, bytes]]) -> _Address:
        """Where the chain cannot be read any further, whoever wrote that stands for the client."""
        chain = b",".join(value for name, value in headers if name == b"x-forwarded-for")
        client = peer
        for hop in reversed(chain.rsplit(b",", _MAX_HOPS)):
            address = _parse_address(_without_zone(_without_port(hop.decode("latin-1").strip(" \t"))))
            if address is None:
                break
            client = address
            if not self._trusts(client):
                break
        return client

    def _trusts(self, address: _Address) -> bool:
        return any(address in network for network in self._networks)


def _parse_address(text: str) -> _Address | None:
    """A server that listens on IPv6 sees clients of IPv4 as ::ffff:192.0.2.1."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def _without_port(hop: str) -> str:
    """Some proxies add the client's: `192.0.2.1:4711`, `[2001:db8::1]:4711`."""
    if hop.startswith("["):
        host, _, port = hop[1:].partition("]")
        return host if not port or port.startswith(":") else hop
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _without_zone(address: str) -> str:
    """It is the proxy's own affair which of its links leads there (`fe80::1%eth0`), and may be text of any length."""
    return address.partition("%")[0] if ":" in address else address
