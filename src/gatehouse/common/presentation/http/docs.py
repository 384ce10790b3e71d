"""The complete OpenAPI document, and its page, which loads nothing from any other host."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse, JSONResponse, Response

from gatehouse.common.presentation.http.problems import FieldProblem, InvalidInputProblem, Problem

PATH: Final = "/docs"
_ASSETS: Final = Path(fastapi_offline.__file__).parent / "static"
_MEDIA_TYPES: Final = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
PATHS: Final = ("/openapi.json", "/docs", "/docs/start.js", *(f"/docs/assets/{name}" for name in _MEDIA_TYPES))
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
        "description": "Names this request in the logs.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
        "required": True,
    }
}
_STATUS_HEADERS: Final[dict[str, dict[str, Any]]] = {
    "307": {"Location": {"schema": {"type": "string"}, "required": True}},
    "429": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}, "required": True}},
    "503": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}, "required": True}},
}
type Complete = Callable[[dict[str, Any]], None]
"""Adds the modules' own parts to the document."""


def install(app: FastAPI) -> None:
    """Serves /docs and /openapi.json."""

    async def openapi_json() -> Response:
        return JSONResponse(app.openapi())

    async def page() -> Response:
        return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})

    async def start() -> Response:
        return Response(_START, media_type="text/javascript")

    app.add_api_route("/openapi.json", openapi_json, include_in_schema=False)
    app.add_api_route(PATH, page, include_in_schema=False)
    app.add_api_route("/docs/start.js", start, include_in_schema=False)
    for name, media_type in _MEDIA_TYPES.items():
        # In memory: a slow client must not keep a file open beside its connection, which alone is counted.
        asset = partial(_asset, (_ASSETS / name).read_bytes(), media_type)
        app.add_api_route(f"/docs/assets/{name}", asset, include_in_schema=False)


def is_installed(app: FastAPI) -> bool:
    return any(getattr(route, "path", None) == PATH for route in app.routes)


async def _asset(content: bytes, media_type: str) -> Response:
    return Response(content, media_type=media_type)


def complete_openapi(app: FastAPI, complete: Complete) -> dict[str, Any]:
    """FastAPI's document, with problem documents, headers and the modules' own parts added."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        schemas = document["components"]["schemas"]
        for model in (FieldProblem, Problem, InvalidInputProblem):
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schema.pop("$defs", None)
            schemas[model.__name__] = schema
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for operations in document["paths"].values():
            for operation in operations.values():
                _add_headers(operation["responses"])
        complete(document)
        app.openapi_schema = document
    return app.openapi_schema


def _add_headers(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        headers = response.get("headers", {})
        response["headers"] = {**_REQUEST_ID_HEADER, **_STATUS_HEADERS.get(status, {}), **headers}
