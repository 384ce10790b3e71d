from typing import Annotated
from uuid import UUID

from dishka import FromDishka
from fastapi import APIRouter, Depends
from gatehouse.accounts import USERNAME_SHAPE, UserNotFoundError
from gatehouse.common.domain.errors import ForbiddenError
from gatehouse.common.presentation.http.access import AUTHENTICATED
from gatehouse.common.presentation.http.bodies import Text
from gatehouse.common.presentation.http.query import QueryString
from gatehouse.common.presentation.http.route import UseCaseRoute, problems
from pydantic import Field

from lending.loans.application.commands.give_back_item import GiveBackItem
from lending.loans.application.commands.lend_item import LendItem
from lending.loans.application.queries.list_loans import ListLoans, LoanList, LoanListRequest
from lending.loans.domain.errors import (
    InactiveBorrowerError,
    ItemLentError,
    ItemNotFoundError,
    ItemNotLentError,
    LoanLimitError,
)
from lending.loans.presentation.http.items import ItemBody

router = APIRouter(prefix="/api/v1/loans", tags=["loans"], route_class=UseCaseRoute)


class LendItemBody(ItemBody):
    username: Annotated[Text, Field(examples=["alice"], json_schema_extra={**USERNAME_SHAPE})]


@router.post(
    "/",
    status_code=201,
    dependencies=[AUTHENTICATED],
    responses=problems(
        ForbiddenError, UserNotFoundError, ItemNotFoundError, ItemLentError, InactiveBorrowerError, LoanLimitError
    ),
)
async def lend_item(body: LendItemBody, execute: FromDishka[LendItem]) -> UUID:
    return await execute(body.username, body.item)


@router.patch(
    "/give_back",
    status_code=204,
    dependencies=[AUTHENTICATED],
    responses=problems(ForbiddenError, ItemNotFoundError, ItemNotLentError),
)
async def give_back_item(body: ItemBody, execute: FromDishka[GiveBackItem]) -> None:
    await execute(body.item)


@router.get("/", dependencies=[AUTHENTICATED], responses=problems(ForbiddenError))
async def list_loans(
    request: Annotated[LoanListRequest, Depends(QueryString(LoanListRequest, username=USERNAME_SHAPE))],
    query: FromDishka[ListLoans],
) -> LoanList:
    return await query(request)
