"""The audit trail."""

from collections.abc import AsyncIterator
from typing import Annotated, Final

from dishka import FromDishka
from fastapi import APIRouter, Depends, Response
from pydantic import TypeAdapter

from gatehouse.accounts import USERNAME_SHAPE
from gatehouse.audit.application.events import AuditEvent, AuditFilters, AuditPage, AuditRequest
from gatehouse.audit.application.queries.export_audit_events import ExportAuditEvents
from gatehouse.audit.application.queries.list_audit_events import ListAuditEvents
from gatehouse.common.domain.errors import ForbiddenError
from gatehouse.common.presentation.http.access import AUTHENTICATED
from gatehouse.common.presentation.http.query import QueryString
from gatehouse.common.presentation.http.route import UseCaseRoute, problems
from gatehouse.common.presentation.http.streamed_lines import StreamedLines

router = APIRouter(prefix="/api/v1/audit", tags=["audit"], route_class=UseCaseRoute)

_NAMES: Final = {"actor": USERNAME_SHAPE, "target": USERNAME_SHAPE}
_EVENT: Final = TypeAdapter(AuditEvent)


@router.get("/", dependencies=[AUTHENTICATED], responses=problems(ForbiddenError))
async def list_audit_events(
    request: Annotated[AuditRequest, Depends(QueryString(AuditRequest, **_NAMES))],
    query: FromDishka[ListAuditEvents],
) -> AuditPage:
    return await query(request)


@router.get(
    "/export",
    status_code=200,
    dependencies=[AUTHENTICATED],
    responses=problems(ForbiddenError),
    response_class=StreamedLines,
)
async def export_audit_events(
    filters: Annotated[AuditFilters, Depends(QueryString(AuditFilters, **_NAMES))], query: FromDishka[ExportAuditEvents]
) -> Response:
    return StreamedLines(_lines(await query(filters)))


async def _lines(batches: AsyncIterator[list[AuditEvent]]) -> AsyncIterator[bytes]:
    async for events in batches:
        yield b"".join(_EVENT.dump_json(event) + b"\n" for event in events)
