"""From a template to an answer: the layout around it, and the policy that the browser holds it to."""

import gzip
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gatehouse.accounts import Identity, Role, Username, manages
from gatehouse.common.presentation.http.middleware.compression import accepts_gzip
from gatehouse.console.presentation.assets import asset_url
from gatehouse.console.presentation.theme import theme_of

PREFIX: Final = "/console/"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ROLES: Final = {Role.SUPER_ADMIN: "Super admin", Role.ADMIN: "Admin", Role.USER: "User"}
_STATES: Final = {
    True: Markup('<span class="badge good">Active</span>'),
    False: Markup('<span class="badge bad">Inactive</span>'),
}
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    # Under `no-referrer` browsers send `Origin: null` with a form, and where they send no Fetch Metadata either, each
    # form would be taken for another site's.
    "Referrer-Policy": "same-origin",
    "Vary": "Accept-Encoding",
}
_LEVEL: Final = 1
"""Of 9. What repeats itself row by row is packed well by any."""


def _is_at_least(role: Role, minimum: str) -> bool:
    return role == minimum or manages(role, Role(minimum))


def link(path: str, **parameters: object) -> str:
    """A path with those of the parameters that have a value."""
    given = {name: _text(value) for name, value in parameters.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


def _minutes(value: datetime | str) -> str:
    """In UTC, as `<input type="datetime-local">` has it. Text is UTC already, as RFC 3339 and the API write it."""
    return (value if isinstance(value, str) else _in_utc(value).isoformat())[:16]


def _time(value: datetime | str) -> Markup:
    """In UTC; the script shows it in the reader's zone. A page has it sixty times: a macro, or `strftime`, would take
    most of its time.
    """
    minutes = _minutes(value)
    return Markup(f'<time datetime="{minutes}Z">{minutes[:10]} {minutes[11:]} UTC</time>')  # noqa: S704  # a time of ours


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else str(value)


def _in_utc(time: datetime) -> datetime:
    """At the ends of the calendar, where there is no such time in UTC, as it was given."""
    try:
        return time.astimezone(UTC)
    except OverflowError:
        return time


def _is_username(text: str) -> bool:
    """Not the pseudonym of an erased account, nor what somebody has typed for a name."""
    return Username.parse(text) is not None


def path_of_user(username: str) -> str:
    return f"{PREFIX}users/{quote(username, safe='')}"


_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("gatehouse.console.presentation"),
    autoescape=True,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)
_ENVIRONMENT.globals |= {
    "asset": asset_url,
    "minutes": _minutes,
    "states": _STATES,
    "time": _time,
    "roles": _ROLES,
    "is_at_least": _is_at_least,
    "is_username": _is_username,
    "link": link,
    "path_of_user": path_of_user,
}


def caller_of(request: Request) -> Identity | None:
    """None where nobody is logged in, and where the request was refused before that was known."""
    caller = getattr(request.state, "caller", None)
    return caller if isinstance(caller, Identity) else None


def render(request: Request, template: str, status: int = 200, **values: object) -> Response:
    text = _ENVIRONMENT.get_template(template).render(
        viewer=caller_of(request), theme=theme_of(request), path=request.url.path, here=address_of(request), **values
    )
    if not accepts_gzip(",".join(request.headers.getlist("accept-encoding"))):
        return HTMLResponse(text, status, _HEADERS)
    # Whatever `http.compression` says of the API: a table is packed to a fifth, and no page holds a secret that stays.
    packed = gzip.compress(text.encode(), _LEVEL, mtime=0)
    return HTMLResponse(packed, status, {**_HEADERS, "Content-Encoding": "gzip"})


def address_of(request: Request) -> str:
    """To come back to. What a form has led to has no address of its own but that of the form; what was done is told
    once.
    """
    given = request.url.query.split("&") if request.method == "GET" else []
    query = "&".join(parameter for parameter in given if not parameter.startswith("done="))
    return f"{request.url.path}?{query}" if query else request.url.path


def go_to(path: str, **parameters: object) -> Response:
    """After a form: what the browser shows next is asked for with GET, so that reloading it repeats nothing."""
    return RedirectResponse(link(path, **parameters), 303)
