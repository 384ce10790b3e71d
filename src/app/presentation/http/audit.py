"""The audit trail."""

from typing import Annotated

from dishka import FromDishka
from fastapi import APIRouter, Depends

from app.application.queries.list_audit_events import AuditPage, AuditRequest, ListAuditEvents
from app.domain.errors import ForbiddenError
from app.presentation.http.access import AUTHENTICATED
from app.presentation.http.query import QueryString
from app.presentation.http.route import UseCaseRoute, problems

router = APIRouter(prefix="/api/v1/audit", tags=["audit"], route_class=UseCaseRoute)


@router.get("/", dependencies=[AUTHENTICATED], responses=problems(ForbiddenError))
async def list_audit_events(
    request: Annotated[AuditRequest, Depends(QueryString(AuditRequest))], query: FromDishka[ListAuditEvents]
) -> AuditPage:
    return await query(request)
