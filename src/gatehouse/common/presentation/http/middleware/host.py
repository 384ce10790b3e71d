"""Which host names the service answers to."""

import re
from collections.abc import Collection
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from gatehouse.common.presentation.http.errors import InvalidHostError
from gatehouse.common.presentation.http.headers import header_values
from gatehouse.common.presentation.http.middleware.refuse import refuse

PROBES: Final = frozenset({"/livez", "/readyz"})
_HOST: Final = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)


class HostMiddleware:
    """Refuses requests to other host names, so that no URL is ever built from a Host that an attacker chose.

    The probes are exempt: they are called by IP address, and build no URL.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in PROBES:
            hosts = header_values(scope, b"host")
            if len(hosts) != 1 or _host_name(hosts[0]) not in self._hosts:
                await refuse(InvalidHostError(), scope, receive, send)
                return
        await self._app(scope, receive, send)


def _host_name(host: str) -> str | None:
    match = _HOST.fullmatch(host)
    return match[1].strip("[]").lower() if match else None
