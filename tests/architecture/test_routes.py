import pytest
from fastapi.routing import APIRoute

from gatehouse.accounts.presentation.http import account, users
from gatehouse.audit.presentation.http import audit
from gatehouse.common.presentation.http import health as general
from gatehouse.common.presentation.http.access import (
    ANONYMOUS,
    AUTHENTICATED,
    AUTHENTICATED_BEFORE_PASSWORD_CHANGE,
    EVERYONE,
)

ROUTES = [
    route
    for module in (account, audit, general, users)
    for route in module.router.routes
    if isinstance(route, APIRoute)
]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_route_says_who_may_call_it(route: APIRoute) -> None:
    access = [
        marker
        for marker in (EVERYONE, ANONYMOUS, AUTHENTICATED, AUTHENTICATED_BEFORE_PASSWORD_CHANGE)
        if marker in route.dependencies
    ]
    assert len(access) == 1


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_route_has_a_description(route: APIRoute) -> None:
    assert route.description
