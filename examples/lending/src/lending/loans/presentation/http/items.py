from typing import Annotated
from uuid import UUID

from dishka import FromDishka
from fastapi import APIRouter
from gatehouse.common.domain.errors import ForbiddenError
from gatehouse.common.presentation.http.access import AUTHENTICATED
from gatehouse.common.presentation.http.bodies import Body, Text
from gatehouse.common.presentation.http.route import UseCaseRoute, problems
from pydantic import Field

from lending.loans.application.commands.add_item import AddItem
from lending.loans.domain.errors import ItemExistsError
from lending.loans.domain.item import MAX_LENGTH

router = APIRouter(prefix="/api/v1/items", tags=["loans"], route_class=UseCaseRoute)

# Shapes are for the documentation alone; the domain decides.
ITEM_SHAPE = {"minLength": 1, "maxLength": MAX_LENGTH, "pattern": r"^\S(.*\S)?$"}

type ItemField = Annotated[Text, Field(examples=["drill"], json_schema_extra={**ITEM_SHAPE})]


class ItemBody(Body):
    item: ItemField


@router.post("/", status_code=201, dependencies=[AUTHENTICATED], responses=problems(ForbiddenError, ItemExistsError))
async def add_item(body: ItemBody, execute: FromDishka[AddItem]) -> UUID:
    return await execute(body.item)
