"""Errors as pages: what happened, what to do, and the request id."""

import re
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from gatehouse.common.domain.errors import (
    AlreadyAuthenticatedError,
    GatehouseError,
    PasswordChangeRequiredError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
)
from gatehouse.common.presentation.http.middleware.csrf import SAFE_METHODS
from gatehouse.common.presentation.http.problems import RETRY_AFTER_SECONDS, status_of
from gatehouse.console.presentation.rendering import PREFIX, address_of, go_to, render

LOG_IN: Final = f"{PREFIX}log-in"
OWN_PASSWORD: Final = f"{PREFIX}password"
_LOG_OUT: Final = f"{PREFIX}log-out"
_NAME: Final = "[A-Za-z0-9_-][A-Za-z0-9._-]*"
# No part of it begins with a dot: a browser would resolve `..` to a path of another part of the site.
_NEXT: Final = re.compile(rf"/console/(?:{_NAME}(?:/{_NAME})*)?(?:\?[A-Za-z0-9._~/?&=%+:-]*)?", re.ASCII)
_ADVICE: Final = {
    "forbidden": "Ask somebody with a higher role, or go back.",
    "cross-site-request": "Open the page in this browser by its own address, and try again.",
    "not-found": "Check the address, or go on from the list of users.",
    "user-not-found": "The account may have been erased since. Go on from the list of users.",
    "session-not-found": "It has ended already.",
    "unauthenticated": "Delete the cookies of this site in your browser, and log in again.",
    "invalid-input": "Go back, and correct it.",
    "too-many-attempts": "Wait, and try again.",
    "unavailable": "Nothing was changed. Wait a moment, and load the page again.",
    "outcome-unknown": "Look whether the change was made before you repeat it; repeating it does no harm.",
    "internal-error": "Try again. If it happens again, tell your operator the request id below.",
}
_GO_BACK: Final = "Go back, and try again."


def respond_to_error(request: Request, error: GatehouseError) -> Response:
    """Who has to log in or to change the password first is led there instead, and back afterwards."""
    if type(error) is UnauthenticatedError:
        return _log_in_first(request)
    if isinstance(error, PasswordChangeRequiredError):
        return go_to(OWN_PASSWORD)
    if isinstance(error, AlreadyAuthenticatedError):
        return go_to(PREFIX)
    return error_page(request, error)


def error_page(request: Request, error: GatehouseError) -> Response:
    advice = _ADVICE.get(error.slug, _GO_BACK)
    return render_form(request, "error.html", error, error=error, advice=advice, request_id=request.state.request_id)


def render_form(request: Request, template: str, refusal: GatehouseError | None, **values: object) -> Response:
    """A page with what was wrong with what was sent, if anything was; its status is that of the refusal."""
    status = status_of(type(refusal)).value if refusal else 200
    retry_after = refusal.retry_after if isinstance(refusal, ThrottledError) else None
    response = render(request, template, status, retry_after=retry_after, **values)
    if isinstance(refusal, ThrottledError | UnavailableError):
        response.headers["Retry-After"] = str(retry_after or RETRY_AFTER_SECONDS)
    return response


def path_after_log_in(asked_for: str) -> str:
    path = path_of_console(asked_for)
    return PREFIX if urlsplit(path).path == LOG_IN else path


def path_of_console(asked_for: str) -> str:
    """Whatever was asked for: a link must not lead from here to another site."""
    return asked_for if _NEXT.fullmatch(asked_for) and urlsplit(asked_for).path != _LOG_OUT else PREFIX


def _log_in_first(request: Request) -> Response:
    """And back afterwards. What a form sent is not kept, which is told."""
    asked_for = address_of(request)
    if asked_for in (PREFIX, _LOG_OUT):
        return go_to(LOG_IN)
    return go_to(LOG_IN, next=asked_for, done=None if request.method in SAFE_METHODS else "nothing")
