"""Administration of users."""

from typing import Annotated

from dishka import FromDishka
from fastapi import APIRouter, Depends

from app.application.account import Account
from app.application.commands.change_password import ChangePassword
from app.application.commands.create_user import CreateUser
from app.application.commands.grant_admin import GrantAdmin
from app.application.commands.inactivate_user import InactivateUser
from app.application.commands.reactivate_user import ReactivateUser
from app.application.commands.revoke_admin import RevokeAdmin
from app.application.queries.get_user import GetUser
from app.application.queries.list_users import ListUsers, UserList, UserListRequest
from app.domain.errors import ForbiddenError, InvalidCredentialsError, UsernameTakenError, UserNotFoundError
from app.domain.role import Role
from app.presentation.http.access import AUTHENTICATED
from app.presentation.http.bodies import ChangePasswordBody, CreateUserBody, UsernameBody
from app.presentation.http.route import UseCaseRoute, problems

router = APIRouter(
    prefix="/users",
    tags=["users"],
    route_class=UseCaseRoute,
    dependencies=[AUTHENTICATED],
)


@router.post("/", status_code=201, responses=problems(ForbiddenError, UsernameTakenError))
async def create_user(body: CreateUserBody, execute: FromDishka[CreateUser]) -> Account:
    return await execute(body.username, body.password, Role(body.role))


@router.get("/", responses=problems(ForbiddenError))
async def list_users(request: Annotated[UserListRequest, Depends()], query: FromDishka[ListUsers]) -> UserList:
    return await query(request)


@router.get("/{username}", responses=problems(ForbiddenError, UserNotFoundError))
async def get_user(username: str, query: FromDishka[GetUser]) -> Account:
    return await query(username)


@router.patch("/inactivate", status_code=204, responses=problems(ForbiddenError, UserNotFoundError))
async def inactivate_user(body: UsernameBody, execute: FromDishka[InactivateUser]) -> None:
    await execute(body.username)


@router.patch("/reactivate", status_code=204, responses=problems(ForbiddenError, UserNotFoundError))
async def reactivate_user(body: UsernameBody, execute: FromDishka[ReactivateUser]) -> None:
    await execute(body.username)


@router.patch("/grant", status_code=204, responses=problems(ForbiddenError, UserNotFoundError))
async def grant_admin(body: UsernameBody, execute: FromDishka[GrantAdmin]) -> None:
    await execute(body.username)


@router.patch("/revoke", status_code=204, responses=problems(ForbiddenError, UserNotFoundError))
async def revoke_admin(body: UsernameBody, execute: FromDishka[RevokeAdmin]) -> None:
    await execute(body.username)


@router.patch(
    "/change_password",
    status_code=204,
    responses=problems(ForbiddenError, UserNotFoundError, InvalidCredentialsError),
)
async def change_password(body: ChangePasswordBody, execute: FromDishka[ChangePassword]) -> None:
    await execute(body.username, body.password, body.current_password)
