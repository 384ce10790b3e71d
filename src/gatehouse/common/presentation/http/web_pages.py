"""Paths that are for people in a browser: what is sent there are forms, and errors are pages."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from gatehouse.common.domain.errors import GatehouseError

_STATE = "web_pages"


@dataclass(frozen=True, slots=True)
class WebPages:
    prefix: str
    """Below which all paths are such, as `/console/`."""
    respond_to_error: Callable[[Request, GatehouseError], Response]
    """The page that tells the error, or where the browser goes instead. The request may have come from any path below
    the prefix, and may have been refused before it was routed.
    """


def install(app: object, pages: Iterable[WebPages]) -> None:
    """`app` is a Starlette application."""
    app.state.web_pages = tuple(pages)  # type: ignore[attr-defined]  # Starlette's own place for what is shared


def installed_web_pages(scope: Scope) -> tuple[WebPages, ...]:
    app = scope.get("app")
    return () if app is None else getattr(app.state, _STATE, ())


def web_pages_of(scope: Scope) -> WebPages | None:
    """Those that the request's path belongs to."""
    return next((pages for pages in installed_web_pages(scope) if scope["path"].startswith(pages.prefix)), None)
