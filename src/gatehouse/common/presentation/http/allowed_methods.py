"""Which methods the routes of a path have."""

from starlette.requests import Request


def allowed_methods(request: Request) -> list[str]:
    """Those of all routes with this path (RFC 9110, 15.5.6): the framework names only those of the first one."""
    routes = [route for route in request.app.routes if route.path_regex.match(request.scope["path"])]
    return sorted({method for route in routes for method in route.methods})
