"""A route that documents itself: with the use case's docstring, and with the errors that every route may raise."""

from collections.abc import Callable, Coroutine, Iterable, Iterator
from copy import deepcopy
from functools import wraps
from typing import Any, Final, get_args, get_origin, get_type_hints

from dishka.integrations.fastapi import DISHKA_REQUEST_PARAM, DISHKA_WEBSOCKET_PARAM, DishkaRoute, inject
from fastapi.params import Depends
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gatehouse.common.application.encoded_json import EncodedJson
from gatehouse.common.application.use_case import is_use_case
from gatehouse.common.domain.errors import (
    GatehouseError,
    InvalidError,
    OutcomeUnknownError,
    PasswordChangeRequiredError,
    UnauthenticatedError,
    UnavailableError,
)
from gatehouse.common.presentation.http.access import (
    AUTHENTICATED,
    AUTHENTICATED_BEFORE_PASSWORD_CHANGE,
    EVERYONE,
    MARKERS,
)
from gatehouse.common.presentation.http.bodies import Body
from gatehouse.common.presentation.http.errors import (
    ContentTooLargeError,
    CrossSiteRequestError,
    InternalError,
    InvalidHostError,
    UnsupportedMediaTypeError,
)
from gatehouse.common.presentation.http.json_request import JsonRequest
from gatehouse.common.presentation.http.middleware.csrf import SAFE_METHODS
from gatehouse.common.presentation.http.middleware.host import PROBES
from gatehouse.common.presentation.http.pages import add_page_headers, note_page, page_header_docs
from gatehouse.common.presentation.http.problems import MEDIA_TYPE, InvalidInputProblem, Problem, status_of
from gatehouse.common.presentation.http.query import QueryString

type Responses = dict[int | str, dict[str, Any]]

_INJECTED_PARAMETERS: Final = {"return", DISHKA_REQUEST_PARAM.name, DISHKA_WEBSOCKET_PARAM.name}
SECURITY_SCHEME: Final = "session"


def problems(*errors: type[GatehouseError]) -> Responses:
    """The errors that a route may answer with, for its documentation."""
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
        annotations = get_type_hints(endpoint)
        hints, answer = annotations.values(), annotations.get("return")
        self.use_case: type | None = next((hint for hint in hints if is_use_case(hint)), None)
        if self.use_case is not None:
            options["description"] = self.use_case.__doc__
        options["responses"] = _merge(options.get("responses") or {}, problems(*_implied_errors(path, hints, options)))
        self._is_page = False
        if headers := page_header_docs(answer):
            self._is_page = True
            options["responses"].setdefault(options.get("status_code") or 200, {})["headers"] = headers
            endpoint = note_page(inject(endpoint))
        if _is_encoded(answer):
            options["response_model"] = get_args(answer)[0]
            endpoint = _respond_as_json(inject(endpoint))
        extra: dict[str, Any] = {"security": [{SECURITY_SCHEME: []}]} if _is_authenticated(options) else {}
        if parameters := _query_parameters(endpoint):
            extra["parameters"] = parameters
        options["openapi_extra"] = extra
        super().__init__(path, endpoint, **options)
        self.app = self._make_direct_app() or self.app

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_json(request: Request) -> Response:
            return await handle(JsonRequest(request.scope, request.receive))

        async def handle_page(request: Request) -> Response:
            response = await handle_json(request)
            add_page_headers(request, response)
            return response

        return handle_page if self._is_page else handle_json

    def _make_direct_app(self) -> ASGIApp | None:
        """For a route that takes only query strings and the request, and returns a Response, or JSON that is encoded
        already: FastAPI's machinery would take a quarter of such a request's time. FastAPI still documents the route.
        """
        hints = get_type_hints(self.endpoint, include_extras=True)
        queries = {name: query for name, hint in hints.items() if (query := _query_string(hint)) is not None}
        request_names = {name for name, hint in hints.items() if hint is Request}  # the endpoint's own, and dishka's
        others = hints.keys() - queries.keys() - request_names - _INJECTED_PARAMETERS
        is_response = hints.get("return") is Response or _is_encoded(hints.get("return"))
        if others or not is_response or not all(marker in MARKERS for marker in self.dependencies):
            return None
        checks = [marker.dependency for marker in self.dependencies if marker.dependency is not None]

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive, send)
            for check in checks:
                await check(request)
            arguments = {name: await query(request) for name, query in queries.items()}
            response: Response = await self.endpoint(**arguments, **dict.fromkeys(request_names, request))
            if self._is_page:
                add_page_headers(request, response)
            await response(scope, receive, send)

        return app


def use_case_of(route: object) -> type | None:
    return route.use_case if isinstance(route, UseCaseRoute) else None


def _is_encoded(answer: object) -> bool:
    kind = get_origin(answer)
    return isinstance(kind, type) and issubclass(kind, EncodedJson)


def _respond_as_json(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(endpoint)
    async def call(**arguments: Any) -> Response:  # as the endpoint has them
        return Response(await endpoint(**arguments), media_type="application/json")

    return call


def _query_string(hint: object) -> QueryString[Any] | None:
    for marker in getattr(hint, "__metadata__", ()):
        if isinstance(marker, Depends) and isinstance(marker.dependency, QueryString):
            return marker.dependency
    return None


def _query_parameters(endpoint: Callable[..., Any]) -> list[dict[str, Any]]:
    hints = get_type_hints(endpoint, include_extras=True).values()
    return [parameter for hint in hints if (query := _query_string(hint)) for parameter in query.parameters()]


def _is_authenticated(options: dict[str, Any]) -> bool:
    return AUTHENTICATED in options["dependencies"] or AUTHENTICATED_BEFORE_PASSWORD_CHANGE in options["dependencies"]


def _implied_errors(path: str, hints: Iterable[object], options: dict[str, Any]) -> Iterator[type[GatehouseError]]:
    """The errors of middleware, access marker and validation, before the use case is called."""
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
        yield OutcomeUnknownError
    if any(isinstance(hint, type) and issubclass(hint, Body) for hint in hints):
        yield ContentTooLargeError
        yield UnsupportedMediaTypeError


def _merge(declared: Responses, implied: Responses) -> Responses:
    responses = {**implied, **deepcopy(declared)}
    for status in declared.keys() & implied.keys():
        responses[status] = {**implied[status], **responses[status]}
        if "content" in declared[status]:
            content = responses[status]["content"][MEDIA_TYPE]
            content["examples"] = {**content["examples"], **implied[status]["content"][MEDIA_TYPE]["examples"]}
    return responses
