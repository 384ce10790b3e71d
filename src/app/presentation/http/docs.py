"""The OpenAPI document, made complete, and its page, served without any third-party host."""

from pathlib import Path
from typing import Any, Final

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles

from app.presentation.http.cookie import SessionCookie
from app.presentation.http.problems import FieldProblem, InvalidInputProblem, Problem
from app.presentation.http.route import SECURITY_SCHEME

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
    "503": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}, "required": True}},
}
_SET_COOKIE: Final[dict[str, Any]] = {
    "Set-Cookie": {"description": "The session cookie.", "schema": {"type": "string"}}
}


def install(app: FastAPI) -> None:
    """Serves /docs and /openapi.json."""

    async def openapi_json() -> Response:
        return JSONResponse(app.openapi())

    async def page() -> Response:
        return HTMLResponse(_PAGE)

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
        app.openapi_schema = document
    return app.openapi_schema


def _add_headers(path: str, responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        headers = {**_REQUEST_ID_HEADER, **_STATUS_HEADERS.get(status, {})}
        if path.endswith(("/login", "/logout")) and status == "204":
            headers |= _SET_COOKIE
        response["headers"] = headers
