"""The session cookie: one name, one set of attributes, for setting and deleting alike."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from gatehouse.common.presentation.http.cookies import cookie_values
from gatehouse.common.presentation.http.errors import TwoSessionCookiesError


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """`__Host-` lets no subdomain and no insecure page set it (RFC 6265bis); without TLS browsers refuse that name."""

    secure: bool

    @property
    def name(self) -> str:
        return "__Host-session" if self.secure else "session"

    def read(self, request: Request) -> str | None:
        """The token, or None. Two cookies of this name are an attack or a fault; neither is trusted."""
        values = cookie_values(request, self.name)
        if len(values) > 1:
            raise TwoSessionCookiesError
        return values[0] if values else None

    def set(self, response: Response, token: str, expires_at: datetime) -> None:
        response.set_cookie(
            self.name, token, expires=expires_at, path="/", secure=self.secure, httponly=True, samesite="lax"
        )

    def clear(self, response: Response) -> None:
        response.delete_cookie(self.name, path="/", secure=self.secure, httponly=True, samesite="lax")


async def _clear_on_error(request: Request) -> None:
    cookie = await request.state.dishka_container.get(SessionCookie)
    # Passed in the request's state, since the outermost middleware answers unexpected errors.
    request.state.before_error_response = cookie.clear


CLEARS_COOKIE_ON_ERROR: Final = Depends(_clear_on_error)
"""Comes before the route's access marker, so that it has run when the marker refuses the request."""
SET_COOKIE: Final[dict[str, Any]] = {
    "headers": {"Set-Cookie": {"description": "The session cookie.", "schema": {"type": "string"}}}
}
"""For the documentation of a response."""
