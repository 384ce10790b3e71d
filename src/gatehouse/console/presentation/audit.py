"""The audit trail."""

import re
from typing import Final

from dishka import FromDishka
from fastapi import APIRouter, Request
from starlette.responses import Response

from gatehouse.audit.application.events import AuditedActions, AuditPage, AuditRequest
from gatehouse.audit.application.queries.list_audit_events import ListAuditEvents
from gatehouse.common.domain.audit import Outcome
from gatehouse.common.domain.errors import InvalidError
from gatehouse.common.presentation.http.access import AUTHENTICATED
from gatehouse.common.presentation.http.query import QueryString
from gatehouse.common.presentation.http.route import UseCaseRoute
from gatehouse.console.presentation.forms import filters_of
from gatehouse.console.presentation.rendering import render

router = APIRouter(prefix="/console/audit", route_class=UseCaseRoute, include_in_schema=False)

_EVENTS: Final = QueryString(AuditRequest)
_TIMES: Final = ("since", "until")
_LOCAL_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}", re.ASCII)
"""As `<input type="datetime-local">` sends it; the page says that it is UTC."""


@router.get("", dependencies=[AUTHENTICATED])
async def audit_page(
    request: Request, query: FromDishka[ListAuditEvents], actions: FromDishka[AuditedActions]
) -> Response:
    asked_for = _EVENTS.parse([(name, _complete(name, value)) for name, value in filters_of(request)])
    error: InvalidError | None = None
    page = AuditPage([], None)
    try:
        page = await query(asked_for)
    except InvalidError as invalid:
        error = invalid
    return render(
        request,
        "audit.html",
        422 if error else 200,
        page=page,
        asked_for=asked_for,
        actions=sorted(actions),
        outcomes=list(Outcome),
        error=error,
    )


def _complete(name: str, value: str) -> str:
    return f"{value}:00Z" if name in _TIMES and _LOCAL_TIME.fullmatch(value) else value
