"""How a middleware refuses a request that does not reach the application."""

import structlog
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from gatehouse.common.domain.errors import GatehouseError
from gatehouse.common.presentation.http.problems import error_response

_log = structlog.get_logger()


async def refuse(error: GatehouseError, scope: Scope, receive: Receive, send: Send) -> None:
    client = scope.get("client")
    _log.info(
        "refused",
        problem=error.slug,
        method=scope["method"],
        path=scope["path"],
        ip=client[0] if client else None,
    )
    await error_response(Request(scope), error)(scope, receive, send)
