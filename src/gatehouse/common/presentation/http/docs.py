"""The OpenAPI document, made complete, and its page, served without any third-party host."""

from pathlib import Path
from typing import Any, Final

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles

from gatehouse.accounts.presentation.http.bodies import USERNAME_SHAPE
from gatehouse.accounts.presentation.http.cookie import SessionCookie
from gatehouse.common.presentation.http.problems import FieldProblem, InvalidInputProblem, Problem
from gatehouse.common.presentation.http.route import SECURITY_SCHEME

_ASSETS: Final = Path(fastapi_offline.__file__).parent / "static"
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Gatehouse API</title>
  <link rel="stylesheet" href="/docs/assets/swagger-ui.css">
  <link rel="icon" href="data:,">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="/docs/assets/swagger-ui-bundle.js"></script>
  <script src="/docs/start.js"></script>
</body>
</html>
"""
# Swagger UI puts styles into elements and draws its icons from data: URLs.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'"
)
_START: Final = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true});\n'
_REQUEST_ID_HEADER: Final[dict[str, Any]] = {
    "X-Request-ID": {
        "description": "Names this request in the logs; a client's own is kept if it is well-formed.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
        "required": True,
    }
}
_STATUS_HEADERS: Final[dict[str, dict[str, Any]]] = {
    "307": {"Location": {"schema": {"type": "string"}, "required": True}},
    "429": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}, "required": True}},
    "503": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}, "required": True}},
}
_SET_COOKIE: Final[dict[str, Any]] = {
    "Set-Cookie": {"description": "The session cookie.", "schema": {"type": "string"}}
}
_NAMES_A_USER: Final = frozenset({"username", "actor", "target"})
_USERS: Final = "/api/v1/users/"
_CREATED: Final[dict[str, Any]] = {"parameters": {"username": "$response.body#/username"}}
_CREATED_IN_BODY: Final[dict[str, Any]] = {"requestBody": {"username": "$response.body#/username"}}
_LISTED: Final[dict[str, Any]] = {"parameters": {"username": "$response.body#/users/0/username"}}
_NEXT_PAGE: Final[dict[str, Any]] = {"parameters": {"cursor": "$response.body#/next_cursor"}}
_LINKS: Final[dict[tuple[str, str, str], dict[tuple[str, str], dict[str, Any]]]] = {
    ("post", _USERS, "201"): {
        ("get", "/api/v1/users/{username}"): _CREATED,
        ("get", "/api/v1/users/{username}/sessions"): _CREATED,
        ("delete", "/api/v1/users/{username}/sessions"): _CREATED,
        ("patch", "/api/v1/users/inactivate"): _CREATED_IN_BODY,
        ("patch", "/api/v1/users/reactivate"): _CREATED_IN_BODY,
        ("patch", "/api/v1/users/grant"): _CREATED_IN_BODY,
        ("patch", "/api/v1/users/revoke"): _CREATED_IN_BODY,
        ("patch", "/api/v1/users/change_password"): _CREATED_IN_BODY,
    },
    ("get", _USERS, "200"): {("get", _USERS): _NEXT_PAGE, ("get", "/api/v1/users/{username}"): _LISTED},
    ("get", "/api/v1/audit/", "200"): {("get", "/api/v1/audit/"): _NEXT_PAGE},
    ("get", "/api/v1/account/sessions", "200"): {
        ("delete", "/api/v1/account/sessions/{session_id}"): {
            "parameters": {"session_id": "$response.body#/sessions/0/id"}
        },
    },
}
"""What to do next with an answer: call and status, then the call that its values are good for."""


def install(app: FastAPI) -> None:
    """Serves /docs and /openapi.json."""

    async def openapi_json() -> Response:
        return JSONResponse(app.openapi())

    async def page() -> Response:
        return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})

    async def start() -> Response:
        return Response(_START, media_type="text/javascript")

    app.add_api_route("/openapi.json", openapi_json, include_in_schema=False)
    app.add_api_route("/docs", page, include_in_schema=False)
    app.add_api_route("/docs/start.js", start, include_in_schema=False)
    app.mount("/docs/assets", StaticFiles(directory=_ASSETS))


def complete_openapi(app: FastAPI, cookie: SessionCookie) -> dict[str, Any]:
    """What FastAPI cannot know: problem documents, headers and the session cookie."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        components = document["components"]
        components["securitySchemes"] = {SECURITY_SCHEME: {"type": "apiKey", "in": "cookie", "name": cookie.name}}
        schemas = components["schemas"]
        for model in (FieldProblem, Problem, InvalidInputProblem):
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schema.pop("$defs", None)
            schemas[model.__name__] = schema
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for path, operations in document["paths"].items():
            for operation in operations.values():
                _add_headers(path, operation["responses"])
                _add_username_shape(operation.get("parameters", []))
        _add_links(document["paths"])
        app.openapi_schema = document
    return app.openapi_schema


def _add_headers(path: str, responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        headers = {**_REQUEST_ID_HEADER, **_STATUS_HEADERS.get(status, {})}
        if (path.endswith(("/login", "/logout")) and status == "204") or (path.endswith("/logout") and status == "401"):
            headers |= _SET_COOKIE
        response["headers"] = headers


def _add_username_shape(parameters: list[dict[str, Any]]) -> None:
    for parameter in parameters:
        if parameter["name"] in _NAMES_A_USER:
            schema = parameter["schema"]
            next((kind for kind in schema.get("anyOf", []) if kind["type"] == "string"), schema).update(USERNAME_SHAPE)


def _add_links(paths: dict[str, Any]) -> None:
    for (method, path, status), targets in _LINKS.items():
        paths[path][method]["responses"][status]["links"] = {
            operation["operationId"]: {"operationId": operation["operationId"], **values}
            for (to_method, to_path), values in targets.items()
            for operation in [paths[to_path][to_method]]
        }
