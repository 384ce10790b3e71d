"""Which paths modules serve. None takes those of another, or those that are Gatehouse's own."""

import re
from collections.abc import Iterable, Iterator
from itertools import combinations, product
from typing import Final

from fastapi.routing import APIRoute

from gatehouse.common.module import COMMON
from gatehouse.common.modules import Module
from gatehouse.common.presentation.http import docs
from gatehouse.common.presentation.http.access import MARKERS

_PARAMETER: Final = re.compile(r"{[^}:]*")


def routes_of(module: Module) -> list[APIRoute]:
    return [route for route in module.routes if isinstance(route, APIRoute)]


def names_of(route: APIRoute) -> list[str]:
    """With each of its methods, as `GET /loans/{}`: two parameters of one place are the same route."""
    return [f"{method} {_PARAMETER.sub('{', route.path)}" for method in _methods(route)]


def closed_routes(module: Module) -> Iterator[str]:
    """Those that do not say who may call them, and what is no route."""
    for route in module.routes:
        if not isinstance(route, APIRoute):
            yield f"a router of it includes a {type(route).__name__}: name each router of its own in `routers`."
        elif len([marker for marker in MARKERS if marker in route.dependencies]) != 1:
            yield (
                f"the route {_describe(route)} does not say who may call it: give it exactly one of the markers in "
                "gatehouse.common.presentation.http.access, such as AUTHENTICATED."
            )


def routes_on_kept_paths(module: Module) -> Iterator[str]:
    """Whatever their methods: the documentation need not be served here, and the probes answer to every host name."""
    kept = [*docs.PATHS, *(route.path for route in routes_of(COMMON) if module.name != COMMON.name)]
    for route, path in product(routes_of(module), kept):
        if _answers_for(route, path):
            yield f"the route {_describe(route)} takes {path}, which is Gatehouse's own; change its path."


def unreached_routes(module: Module) -> Iterator[str]:
    """Routes are tried in their order: `/loans/{id}` answers for a `/loans/overdue` behind it."""
    for first, second in combinations(routes_of(module), 2):
        if _share_a_method(first, second) and _answers_for(first, second.path):
            yield f"the route {_describe(second)} is never reached: {first.path} answers before it; let it come first."


def shadowed_routes(module: Module, before: Iterable[tuple[str, Module]]) -> Iterator[str]:
    """Routes of later modules are tried first: `/users/{name}` would answer for `/users/grant`, and `/users/overdue`
    for a user of that name.
    """
    earlier = [(package, route) for package, other in before for route in routes_of(other)]
    for route, (package, shadowed) in product(routes_of(module), earlier):
        if not _share_a_method(route, shadowed):
            continue
        if _answers_for(route, shadowed.path) or _answers_for(shadowed, route.path):
            yield f"the route {_describe(route)} would answer for {shadowed.path} of {package}; change its path."


def _answers_for(route: APIRoute, path: str) -> bool:
    """Also for each path of a template, of which it takes the parameter for a value."""
    return route.path_regex.match(path) is not None


def _share_a_method(route: APIRoute, other: APIRoute) -> bool:
    return not {*_methods(route)}.isdisjoint(_methods(other))


def _describe(route: APIRoute) -> str:
    return f"{', '.join(_methods(route))} {route.path}"


def _methods(route: APIRoute) -> list[str]:
    return sorted(route.methods or ())
