"""A route that documents itself: the use case's docstring is its text, and what every route may answer is added."""

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from copy import deepcopy
from functools import wraps
from typing import Any, Final, get_type_hints

from dishka.integrations.fastapi import DISHKA_REQUEST_PARAM, DISHKA_WEBSOCKET_PARAM, DishkaRoute
from fastapi.params import Depends
from starlette.requests import Request
from starlette.responses import Response

from gatehouse.accounts.presentation.http.bodies import Body
from gatehouse.common.domain.errors import (
    GatehouseError,
    InvalidError,
    PasswordChangeRequiredError,
    TransactionConflictError,
    UnauthenticatedError,
    UnavailableError,
)
from gatehouse.common.presentation.http.access import AUTHENTICATED, AUTHENTICATED_ONLY, EVERYONE, MARKERS
from gatehouse.common.presentation.http.errors import (
    ContentTooLargeError,
    CrossSiteRequestError,
    InternalError,
    InvalidHostError,
    UnsupportedMediaTypeError,
)
from gatehouse.common.presentation.http.middleware import PROBES, SAFE_METHODS
from gatehouse.common.presentation.http.problems import MEDIA_TYPE, InvalidInputProblem, Problem, status_of
from gatehouse.common.presentation.http.query import QueryString

type Responses = dict[int | str, dict[str, Any]]

_MAX_RETRIES: Final = 3
_KNOWN_PARAMETERS: Final = {"return", DISHKA_REQUEST_PARAM.name, DISHKA_WEBSOCKET_PARAM.name}
SECURITY_SCHEME: Final = "session"
_USE_CASES: Final = (
    "gatehouse.accounts.application.commands.",
    "gatehouse.accounts.application.queries.",
    "gatehouse.audit.application.queries.",
)


def problems(*errors: type[GatehouseError]) -> Responses:
    """What a route refuses, for its documentation."""
    responses: Responses = {}
    for error in errors:
        status = status_of(error)
        model = InvalidInputProblem if issubclass(error, InvalidError) else Problem
        response = responses.setdefault(
            status.value,
            {
                "description": status.phrase,
                "content": {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}, "examples": {}}},
            },
        )
        response["content"][MEDIA_TYPE]["examples"][error.slug] = {"value": _example(error)}
    return responses


def _example(error: type[GatehouseError]) -> dict[str, object]:
    example: dict[str, object] = {
        "type": f"/problems/{error.slug}",
        "title": error.title,
        "status": status_of(error).value,
        "detail": error.title,
        "request_id": "01920b6e-7e3a-7c55-9d1c-3f7b6a1f0c11",
    }
    if issubclass(error, InvalidError):
        example["errors"] = [{"field": "username", "message": "Must be valid."}]
    return example


class UseCaseRoute(DishkaRoute):
    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        hints = get_type_hints(endpoint).values()
        use_case = next((hint for hint in hints if _is_use_case(hint)), None)
        if use_case is not None:
            options["description"] = use_case.__doc__
        options["responses"] = _merged(options.get("responses") or {}, problems(*_implied(path, hints, options)))
        extra: dict[str, Any] = {"security": [{SECURITY_SCHEME: []}]} if _is_authenticated(options) else {}
        if parameters := _query_parameters(endpoint):
            extra["parameters"] = parameters
        options["openapi_extra"] = extra
        if not SAFE_METHODS.issuperset(options["methods"]):
            endpoint = _retried(endpoint)
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """A query string answered with a ready response needs nothing of FastAPI's machinery at each request, and a
        fifth of the request's time went there. The documentation is FastAPI's all the same.
        """
        hints = get_type_hints(self.endpoint, include_extras=True)
        queries = {name: found for name, hint in hints.items() if (found := _query_string(hint)) is not None}
        others = hints.keys() - queries.keys() - _KNOWN_PARAMETERS
        if others or hints.get("return") is not Response or not all(gate in MARKERS for gate in self.dependencies):
            return super().get_route_handler()
        injected = hints.keys() & {DISHKA_REQUEST_PARAM.name}
        gates = [gate.dependency for gate in self.dependencies if gate.dependency is not None]

        async def answer(request: Request) -> Response:
            for gate in gates:
                await gate(request)
            asked = {name: await query(request) for name, query in queries.items()}
            response: Response = await self.endpoint(**asked, **dict.fromkeys(injected, request))
            return response

        return answer


def _is_use_case(hint: object) -> bool:
    return isinstance(hint, type) and hint.__module__.startswith(_USE_CASES)


def _query_string(hint: object) -> QueryString[Any] | None:
    for marker in getattr(hint, "__metadata__", ()):
        if isinstance(marker, Depends) and isinstance(marker.dependency, QueryString):
            return marker.dependency
    return None


def _query_parameters(endpoint: Callable[..., Any]) -> list[dict[str, Any]]:
    hints = get_type_hints(endpoint, include_extras=True).values()
    return [parameter for hint in hints if (found := _query_string(hint)) for parameter in found.parameters()]


def _is_authenticated(options: dict[str, Any]) -> bool:
    return AUTHENTICATED in options["dependencies"] or AUTHENTICATED_ONLY in options["dependencies"]


def _retried[**P, R](endpoint: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """A use case that lost against a parallel transaction, and so has changed nothing, is tried again."""

    @wraps(endpoint)
    async def tried(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(_MAX_RETRIES):
            try:
                return await endpoint(*args, **kwargs)
            except TransactionConflictError:
                continue
        return await endpoint(*args, **kwargs)

    return tried


def _implied(path: str, hints: Iterable[object], options: dict[str, Any]) -> Iterator[type[GatehouseError]]:
    """What the edge may answer before the use case is asked."""
    yield InternalError
    if path not in PROBES:
        yield InvalidHostError
    if EVERYONE not in options["dependencies"]:
        yield UnavailableError
        yield InvalidError
    if _is_authenticated(options):
        yield UnauthenticatedError
    if AUTHENTICATED in options["dependencies"]:
        yield PasswordChangeRequiredError
    if not SAFE_METHODS.issuperset(options["methods"]):
        yield CrossSiteRequestError
    if any(isinstance(hint, type) and issubclass(hint, Body) for hint in hints):
        yield ContentTooLargeError
        yield UnsupportedMediaTypeError


def _merged(declared: Responses, implied: Responses) -> Responses:
    merged = {**implied, **deepcopy(declared)}
    for status in declared.keys() & implied.keys():
        examples = merged[status]["content"][MEDIA_TYPE]["examples"]
        merged[status]["content"][MEDIA_TYPE]["examples"] = {
            **examples,
            **implied[status]["content"][MEDIA_TYPE]["examples"],
        }
    return merged
