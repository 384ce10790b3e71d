"""Where a request comes from, as far as this can be trusted."""

from typing import Final

from starlette.requests import Request

from gatehouse.common.domain.request_context import RequestContext

_USER_AGENT_LENGTH: Final = 256


def client_ip(request: Request) -> str | None:
    """The peer's address. TrustedProxyMiddleware has replaced it already, if a trusted proxy forwarded another one."""
    return request.client.host if request.client else None


def request_context_of(request: Request) -> RequestContext:
    user_agent = request.headers.get("user-agent")
    return RequestContext(
        ip=client_ip(request),
        user_agent=user_agent[:_USER_AGENT_LENGTH] if user_agent else None,
        request_id=request.state.request_id,
    )
