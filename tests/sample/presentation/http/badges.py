from typing import Annotated
from uuid import UUID

from dishka import FromDishka
from fastapi import APIRouter, Depends
from pydantic import Field

from gatehouse.accounts import USERNAME_SHAPE, UserNotFoundError
from gatehouse.common.domain.errors import ForbiddenError
from gatehouse.common.presentation.http.access import AUTHENTICATED
from gatehouse.common.presentation.http.bodies import Body, Text
from gatehouse.common.presentation.http.query import QueryString
from gatehouse.common.presentation.http.route import UseCaseRoute, problems
from tests.sample.application.commands.award_badge import AwardBadge
from tests.sample.application.commands.withdraw_badge import WithdrawBadge
from tests.sample.application.queries.list_badges import BadgeList, BadgeListRequest, ListBadges
from tests.sample.domain.errors import BadgeNotFoundError, BadgeTakenError

router = APIRouter(prefix="/api/v1/badges", tags=["badges"], route_class=UseCaseRoute)


class AwardBadgeBody(Body):
    username: Annotated[Text, Field(examples=["alice"], json_schema_extra={**USERNAME_SHAPE})]
    name: Annotated[Text, Field(examples=["gold"], json_schema_extra={"pattern": "^[A-Za-z0-9]{1,40}$"})]


@router.post(
    "/",
    status_code=201,
    dependencies=[AUTHENTICATED],
    responses=problems(ForbiddenError, UserNotFoundError, BadgeTakenError),
)
async def award_badge(body: AwardBadgeBody, execute: FromDishka[AwardBadge]) -> UUID:
    return await execute(body.username, body.name)


@router.get("/", dependencies=[AUTHENTICATED])
async def list_badges(
    request: Annotated[BadgeListRequest, Depends(QueryString(BadgeListRequest))], query: FromDishka[ListBadges]
) -> BadgeList:
    return await query(request)


@router.delete(
    "/{badge_id}",
    status_code=204,
    dependencies=[AUTHENTICATED],
    responses=problems(ForbiddenError, BadgeNotFoundError),
)
async def withdraw_badge(badge_id: UUID, execute: FromDishka[WithdrawBadge]) -> None:
    await execute(badge_id)
