"""The audit trail."""

from typing import Annotated

from dishka import FromDishka
from fastapi import APIRouter, Depends

from gatehouse.accounts import USERNAME_SHAPE
from gatehouse.audit.application.events import AuditPage, AuditRequest
from gatehouse.audit.application.queries.list_audit_events import ListAuditEvents
from gatehouse.common.domain.errors import ForbiddenError
from gatehouse.common.presentation.http.access import AUTHENTICATED
from gatehouse.common.presentation.http.query import QueryString
from gatehouse.common.presentation.http.route import UseCaseRoute, problems

router = APIRouter(prefix="/api/v1/audit", tags=["audit"], route_class=UseCaseRoute)


@router.get("/", dependencies=[AUTHENTICATED], responses=problems(ForbiddenError))
async def list_audit_events(
    request: Annotated[AuditRequest, Depends(QueryString(AuditRequest, actor=USERNAME_SHAPE, target=USERNAME_SHAPE))],
    query: FromDishka[ListAuditEvents],
) -> AuditPage:
    return await query(request)
