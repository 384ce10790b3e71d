"""From the session cookie to the caller."""

from functools import partial

import structlog
from starlette.requests import Request

from gatehouse.accounts.application.authentication import Authenticate
from gatehouse.accounts.application.identity import IdentifyAgain, Identity
from gatehouse.accounts.presentation.http.cookie import SessionCookie
from gatehouse.common.domain.errors import UnauthenticatedError


async def identify(request: Request, cookie: SessionCookie, authenticate: Authenticate) -> Identity:
    """Called at most once a request: the container keeps the identity."""
    token = cookie.read(request)
    if token is None:
        raise UnauthenticatedError
    identity = await authenticate(token)
    request.state.caller = identity
    structlog.contextvars.bind_contextvars(caller=identity.username.value)
    return identity


def identify_again(request: Request, cookie: SessionCookie, authenticate: Authenticate) -> IdentifyAgain:
    return partial(identify, request, cookie, authenticate)
