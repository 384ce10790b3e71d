"""A route that documents itself: the use case's docstring is its text, and what every route may answer is added."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, get_type_hints

from dishka.integrations.fastapi import DishkaRoute

from app.domain.errors import GatehouseError, InvalidError, UnauthenticatedError, UnavailableError
from app.presentation.http.access import AUTHENTICATED, EVERYONE
from app.presentation.http.bodies import Body
from app.presentation.http.errors import (
    ContentTooLargeError,
    CrossSiteRequestError,
    InternalError,
    UnsupportedMediaTypeError,
)
from app.presentation.http.middleware import SAFE_METHODS
from app.presentation.http.problems import MEDIA_TYPE, InvalidInputProblem, Problem, status_of

type Responses = dict[int | str, dict[str, Any]]

SECURITY_SCHEME: Final = "session"
_USE_CASES: Final = ("app.application.commands.", "app.application.queries.")


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
        options["responses"] = _merged(options.get("responses") or {}, problems(*_implied(hints, options)))
        if AUTHENTICATED in options["dependencies"]:
            options["openapi_extra"] = {"security": [{SECURITY_SCHEME: []}]}
        super().__init__(path, endpoint, **options)


def _is_use_case(hint: object) -> bool:
    return isinstance(hint, type) and hint.__module__.startswith(_USE_CASES)


def _implied(hints: Iterable[object], options: dict[str, Any]) -> Iterator[type[GatehouseError]]:
    """What the edge may answer before the use case is asked."""
    yield InternalError
    if EVERYONE not in options["dependencies"]:
        yield UnavailableError
        yield InvalidError
    if AUTHENTICATED in options["dependencies"]:
        yield UnauthenticatedError
    if not SAFE_METHODS.issuperset(options["methods"]):
        yield CrossSiteRequestError
    if any(isinstance(hint, type) and issubclass(hint, Body) for hint in hints):
        yield ContentTooLargeError
        yield UnsupportedMediaTypeError


def _merged(declared: Responses, implied: Responses) -> Responses:
    merged = {**implied, **declared}
    for status in declared.keys() & implied.keys():
        examples = merged[status]["content"][MEDIA_TYPE]["examples"]
        merged[status]["content"][MEDIA_TYPE]["examples"] = {
            **examples,
            **implied[status]["content"][MEDIA_TYPE]["examples"],
        }
    return merged
