"""Routes of a service built on this one: FastAPI's other features work, too."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

import httpx
import pytest
from dishka import make_async_container
from dishka.integrations.fastapi import FastapiProvider
from fastapi import APIRouter, Depends, FastAPI, Header, Response

from gatehouse.common.domain.errors import ForbiddenError
from gatehouse.common.presentation.http import problems
from gatehouse.common.presentation.http.access import EVERYONE
from gatehouse.common.presentation.http.middleware.container import ContainerMiddleware
from gatehouse.common.presentation.http.middleware.request import RequestMiddleware
from gatehouse.common.presentation.http.query import QueryString
from gatehouse.common.presentation.http.route import UseCaseRoute


@dataclass(frozen=True)
class NumberQuery:
    number: int = 1


QUERY = Depends(QueryString(NumberQuery))
router = APIRouter(route_class=UseCaseRoute)


async def needs_key(x_key: Annotated[str | None, Header()] = None) -> None:
    if x_key is None:
        raise ForbiddenError


@router.get("/alone", dependencies=[EVERYONE])
async def query_alone(query: Annotated[NumberQuery, QUERY]) -> Response:
    return Response(f"{query.number}")


@router.get("/places/{place}", dependencies=[EVERYONE])
async def query_and_path(query: Annotated[NumberQuery, QUERY], place: str) -> Response:
    return Response(f"{query.number} at {place}")


@router.get("/object", dependencies=[EVERYONE])
async def query_with_an_object_as_response(query: Annotated[NumberQuery, QUERY]) -> int:
    return query.number


@router.get("/locked", dependencies=[EVERYONE, Depends(needs_key)])
async def query_behind_a_dependency(query: Annotated[NumberQuery, QUERY]) -> Response:
    return Response(f"{query.number}")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.router.routes.extend(router.routes)
    problems.install(app)
    app.add_middleware(ContainerMiddleware, container=make_async_container(FastapiProvider()))
    app.add_middleware(RequestMiddleware, hsts=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


@pytest.mark.parametrize(
    ("path", "answer"), [("/alone", "1"), ("/alone?number=2", "2"), ("/places/home", "1 at home"), ("/object", "1")]
)
async def test_a_route_with_a_query_string_may_have_more(client: httpx.AsyncClient, path: str, answer: str) -> None:
    assert (await client.get(path)).text == answer


async def test_a_dependency_of_ones_own_is_asked(client: httpx.AsyncClient) -> None:
    assert (await client.get("/locked")).status_code == 403
    assert (await client.get("/locked", headers={"X-Key": "any"})).text == "1"
