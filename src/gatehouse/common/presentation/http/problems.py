"""Errors as problem documents (RFC 9457). One table maps each category to its status."""

from http import HTTPStatus
from typing import Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from gatehouse.common.domain.errors import (
    ConflictError,
    ForbiddenError,
    GatehouseError,
    InvalidError,
    NotFoundError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
)
from gatehouse.common.presentation.http.allowed_methods import allowed_methods
from gatehouse.common.presentation.http.errors import (
    BadRequestError,
    ContentTooLargeError,
    HeadTooLargeError,
    InternalError,
    InvalidHostError,
    MethodNotAllowedError,
    RequestTimeoutError,
    UnsupportedMediaTypeError,
)
from gatehouse.common.presentation.http.request_context import client_ip
from gatehouse.common.presentation.http.web_pages import web_pages_of

STATUSES: Final[dict[type[GatehouseError], HTTPStatus]] = {
    InvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    ThrottledError: HTTPStatus.TOO_MANY_REQUESTS,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    MethodNotAllowedError: HTTPStatus.METHOD_NOT_ALLOWED,
    ContentTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedMediaTypeError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    InvalidHostError: HTTPStatus.BAD_REQUEST,
    BadRequestError: HTTPStatus.BAD_REQUEST,
    RequestTimeoutError: HTTPStatus.REQUEST_TIMEOUT,
    HeadTooLargeError: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    InternalError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""Looked up along the error's class hierarchy, so a new error has its category's status."""

RETRY_AFTER_SECONDS: Final = 1
MEDIA_TYPE: Final = "application/problem+json"

_log = structlog.get_logger()


class FieldProblem(BaseModel):
    field: str
    message: str


class Problem(BaseModel):
    """A problem document. `type` tells problems apart; `title` and `detail` are for people."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str


class InvalidInputProblem(Problem):
    errors: list[FieldProblem]


def status_of(error: type[GatehouseError]) -> HTTPStatus:
    return next(STATUSES[kind] for kind in error.__mro__ if kind in STATUSES)


def install(app: FastAPI) -> None:
    app.add_exception_handler(GatehouseError, _on_gatehouse_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)


def error_response(request: Request, error: GatehouseError) -> Response:
    """A page where pages are, else a problem document."""
    pages = web_pages_of(request.scope)
    return pages.respond_to_error(request, error) if pages else problem_response(error, request.state.request_id)


def problem_response(error: GatehouseError, request_id: str) -> Response:
    if isinstance(error, InvalidError):
        return _invalid_input_response([FieldProblem(field=error.field, message=error.message)], request_id)
    retry_after = error.retry_after if isinstance(error, ThrottledError) else RETRY_AFTER_SECONDS
    return _respond(_to_problem(error, request_id), retry_after=retry_after)


def _to_problem(error: GatehouseError, request_id: str) -> Problem:
    return Problem(
        type=f"/problems/{error.slug}",
        title=error.title,
        status=status_of(type(error)),
        detail=error.detail,
        request_id=request_id,
    )


def _respond(
    problem: Problem, headers: dict[str, str] | None = None, retry_after: int = RETRY_AFTER_SECONDS
) -> Response:
    headers = headers or {}
    if problem.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        headers["Retry-After"] = str(retry_after)
    return JSONResponse(problem.model_dump(), problem.status, headers, MEDIA_TYPE)


def _invalid_input_response(errors: list[FieldProblem], request_id: str) -> Response:
    problem = _to_problem(InvalidError("", ""), request_id)
    return _respond(InvalidInputProblem(**problem.model_dump(), errors=errors))


async def _on_gatehouse_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, GatehouseError)
    _log.info("refused", problem=error.slug, method=request.method, path=request.url.path, ip=client_ip(request))
    response = error_response(request, error)
    if before_error_response := getattr(request.state, "before_error_response", None):
        before_error_response(response)
    return response


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    """Repeats neither a value nor the name of an unknown field: both are the client's own text."""
    assert isinstance(error, RequestValidationError)
    problems = [_field_problem(details) for details in error.errors()]
    if pages := web_pages_of(request.scope):
        return pages.respond_to_error(request, InvalidError(problems[0].field, problems[0].message))
    return _invalid_input_response(problems, request.state.request_id)


def _field_problem(details: dict[str, object]) -> FieldProblem:
    location = details["loc"]
    assert isinstance(location, tuple)
    if details["type"] == "extra_forbidden":
        return FieldProblem(field=str(location[0]), message="Holds an unknown field.")
    if details["type"] == "json_invalid":
        return FieldProblem(field="body", message="Is not valid JSON.")
    field = str(location[1] if len(location) > 1 else location[0])
    if details["type"] == "uuid_parsing":  # pydantic's own message quotes the offending character
        return FieldProblem(field=field, message="Must be a UUID.")
    return FieldProblem(field=field, message=f"{str(details['msg']).removeprefix('Value error, ')}.")


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: an unknown path, an unknown method, a body that is not text."""
    assert isinstance(error, HTTPException)
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return error_response(request, NotFoundError())
        case HTTPStatus.METHOD_NOT_ALLOWED:
            response = error_response(request, MethodNotAllowedError())
            response.headers["Allow"] = ", ".join(allowed_methods(request))
            return response
        case HTTPStatus.BAD_REQUEST:
            return error_response(request, InvalidError("body", "Is not valid JSON."))
        case _:
            _log.error("unexpected_http_exception", status=error.status_code)
            return error_response(request, InternalError())
