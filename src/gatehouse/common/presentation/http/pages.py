"""What the headers of a page of a list say: where the next one is, and how many rows there are in all."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import lru_cache, wraps
from typing import Any, Final, Protocol, get_origin
from urllib.parse import parse_qsl, quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from gatehouse.common.application.encoded_json import EncodedPage

_CURSOR: Final = "next_cursor"
_TOTAL: Final = "total"
_POSITION: Final = ("cursor", "offset")
"""Parameters that say where a page begins."""
_HEADERS: Final = "page_headers"
_LINK_HEADER: Final[dict[str, Any]] = {
    "Link": {
        "description": 'Where there is a next page: `<…>; rel="next"`, a reference relative to this host (RFC 8288).',
        "schema": {"type": "string"},
    }
}
_TOTAL_HEADER: Final[dict[str, Any]] = {
    "X-Total-Count": {
        "description": "Where the total was asked for and is known.",
        "schema": {"type": "integer", "minimum": 0},
    }
}


class Page(Protocol):
    """What a use case returns that lists page by page. Where it counts the rows, it has a `total`, too."""

    @property
    def next_cursor(self) -> str | None: ...


def page_header_docs(answer: object) -> dict[str, Any]:
    """For the OpenAPI document; empty for the annotation of an answer that is no page."""
    kind = get_origin(answer) or answer
    if kind is EncodedPage:
        return {**_LINK_HEADER, **_TOTAL_HEADER}
    names = {field.name for field in fields(kind)} if isinstance(kind, type) and is_dataclass(kind) else set()
    if _CURSOR not in names:
        return {}
    return {**_LINK_HEADER, **(_TOTAL_HEADER if _TOTAL in names else {})}


def note_page(endpoint: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Around an endpoint that returns a page of a use case, and therefore gets the request, by whatever name."""

    @wraps(endpoint)
    async def call(**arguments: Any) -> Any:  # as the endpoint has them
        page = await endpoint(**arguments)
        request = next(argument for argument in arguments.values() if isinstance(argument, Request))
        request.scope[_HEADERS] = [*_headers(request, page)]
        return page

    return call


def add_page_headers(request: Request, response: Response) -> None:
    """None where the endpoint did not get as far as returning its page."""
    response.raw_headers.extend(request.scope.get(_HEADERS, ()))


def _headers(request: Request, page: Page) -> Iterator[tuple[bytes, bytes]]:
    """The link is a path with the same query: it never repeats the Host, which is the client's own text."""
    if page.next_cursor is not None:
        reference = _reference_without_cursor(request.scope["path"], request.scope["query_string"])
        yield b"link", f'<{reference}{quote(page.next_cursor)}>; rel="next"'.encode()
    total = getattr(page, _TOTAL, None)
    if total is not None:
        yield b"x-total-count", str(total).encode()


@lru_cache(maxsize=128)  # most clients ask for the first page of the same few lists
def _reference_without_cursor(path: str, query: bytes) -> str:
    parameters = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    kept = [(name, value) for name, value in parameters if name not in _POSITION]
    return f"{quote(path)}?{urlencode([*kept, ('cursor', '')])}"
