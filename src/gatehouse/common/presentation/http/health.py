"""Liveness, readiness and the root."""

from typing import Final, Literal

from dishka import FromDishka
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import RedirectResponse

from gatehouse.common.application.ports import Readiness
from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.presentation.http import docs
from gatehouse.common.presentation.http.access import EVERYONE
from gatehouse.common.presentation.http.route import UseCaseRoute, problems
from gatehouse.common.presentation.http.web_pages import installed_web_pages

API: Final = "/api/v1/"

router = APIRouter(tags=["general"], route_class=UseCaseRoute)


class Status(BaseModel):
    status: Literal["ok"] = "ok"


@router.get("/", status_code=307, dependencies=[EVERYONE], response_class=RedirectResponse)
async def root(request: Request) -> str:
    """Leads to the documentation, else to the pages for people, by a path and not by the Host header."""
    if docs.is_installed(request.app):
        return docs.PATH
    return next((pages.prefix for pages in installed_web_pages(request.scope)), API)


@router.get(API, dependencies=[EVERYONE])
async def api_status() -> Status:
    """Says that the API is alive."""
    return Status()


@router.get("/livez", dependencies=[EVERYONE])
async def livez() -> Status:
    """Answers while the process runs; touches no database."""
    return Status()


@router.get("/readyz", dependencies=[EVERYONE], responses=problems(UnavailableError))
async def readyz(request: Request, readiness: FromDishka[Readiness]) -> Status:
    """Answers 200 when the database answers within a second, with the schema of this version or of a later one. Before
    the server stops it answers 503.
    """
    if getattr(request.state, "is_draining", False):
        raise UnavailableError("The server is about to stop.")
    await readiness.ensure_ready()
    return Status()
