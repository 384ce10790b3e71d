"""Who may call a route. Every route names exactly one of these markers; a test checks it.

The rules about roles are in the use cases.
"""

from typing import Final

from fastapi import Depends, Request

from gatehouse.common.application.ports import Caller
from gatehouse.common.domain.errors import AlreadyAuthenticatedError, UnauthenticatedError
from gatehouse.common.presentation.http.errors import TwoSessionCookiesError


async def _everyone(_: Request) -> None:
    pass


async def _authenticated(request: Request) -> None:
    # Resolved here, before the use case needs it: who is not logged in gets 401 before the input is validated.
    caller = await request.state.dishka_container.get(Caller)
    caller.ensure_password_is_own()


async def _authenticated_before_password_change(request: Request) -> None:
    await request.state.dishka_container.get(Caller)


async def _anonymous(request: Request) -> None:
    try:
        await request.state.dishka_container.get(Caller)
    except TwoSessionCookiesError:
        raise
    except UnauthenticatedError:
        return
    raise AlreadyAuthenticatedError


EVERYONE: Final = Depends(_everyone)
ANONYMOUS: Final = Depends(_anonymous)
AUTHENTICATED: Final = Depends(_authenticated)
AUTHENTICATED_BEFORE_PASSWORD_CHANGE: Final = Depends(_authenticated_before_password_change)
"""Also open to users who must change their password first: for changing it, and for logging out."""
MARKERS: Final = (EVERYONE, ANONYMOUS, AUTHENTICATED, AUTHENTICATED_BEFORE_PASSWORD_CHANGE)
