"""Who may call a route. Every route names exactly one; a test sees to it.

The finer rules, about roles, are the use cases' own.
"""

from typing import Final

import structlog
from fastapi import Depends, Request

from gatehouse.accounts.application.authentication import Authenticate
from gatehouse.accounts.application.identity import Identity
from gatehouse.accounts.presentation.http.cookie import SessionCookie
from gatehouse.common.domain.errors import AlreadyAuthenticatedError, UnauthenticatedError


async def identify(request: Request, cookie: SessionCookie, authenticate: Authenticate) -> Identity:
    token = cookie.read(request)
    if token is None:
        raise UnauthenticatedError
    identity = await authenticate(token)
    structlog.contextvars.bind_contextvars(caller=identity.username.value)
    return identity


async def _anyone(_: Request) -> None:
    pass


async def _authenticated(request: Request) -> None:
    # Here, and not first when the use case asks for it, so that strangers get 401 before their input is judged.
    identity = await request.state.dishka_container.get(Identity)
    identity.ensure_password_is_own()


async def _authenticated_only(request: Request) -> None:
    await request.state.dishka_container.get(Identity)


async def _clears_cookie(request: Request) -> None:
    cookie = await request.state.dishka_container.get(SessionCookie)
    request.state.on_refusal = cookie.clear


async def _anonymous(request: Request) -> None:
    cookie = await request.state.dishka_container.get(SessionCookie)
    cookie.read(request)  # two cookies are refused here, too
    try:
        await request.state.dishka_container.get(Identity)
    except UnauthenticatedError:
        return
    raise AlreadyAuthenticatedError


EVERYONE: Final = Depends(_anyone)
AUTHENTICATED: Final = Depends(_authenticated)
AUTHENTICATED_ONLY: Final = Depends(_authenticated_only)
"""Also open to one who has to change the password first: for changing it, and for leaving."""
ANONYMOUS: Final = Depends(_anonymous)
CLEARS_COOKIE: Final = Depends(_clears_cookie)
"""Not about access: a refusal, too, takes the cookie away. Stands before the access so that it is known by then."""
MARKERS: Final = (EVERYONE, ANONYMOUS, AUTHENTICATED, AUTHENTICATED_ONLY, CLEARS_COOKIE)
