"""Administration of users."""

from dataclasses import dataclass
from typing import Annotated, Final

from dishka import FromDishka
from fastapi import APIRouter, Depends, Response

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.commands.change_password import ChangePassword
from gatehouse.accounts.application.commands.create_user import CreateUser
from gatehouse.accounts.application.commands.end_user_sessions import EndUserSessions
from gatehouse.accounts.application.commands.erase_user import EraseUser
from gatehouse.accounts.application.commands.grant_admin import GrantAdmin
from gatehouse.accounts.application.commands.inactivate_user import InactivateUser
from gatehouse.accounts.application.commands.reactivate_user import ReactivateUser
from gatehouse.accounts.application.commands.revoke_admin import RevokeAdmin
from gatehouse.accounts.application.queries.get_user import GetUser
from gatehouse.accounts.application.queries.list_sessions import SessionList
from gatehouse.accounts.application.queries.list_user_sessions import ListUserSessions
from gatehouse.accounts.application.queries.list_users import ListUsers, UserList, UserListRequest
from gatehouse.accounts.domain.errors import InvalidCredentialsError, UsernameTakenError, UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.presentation.http.bodies import ChangePasswordBody, CreateUserBody, UsernameBody, UsernameInPath
from gatehouse.accounts.presentation.http.cookie import SET_COOKIE, SessionCookie
from gatehouse.common.application.encoded_json import EncodedPage
from gatehouse.common.domain.errors import ForbiddenError, PasswordChangeRequiredError, ThrottledError
from gatehouse.common.presentation.http.access import AUTHENTICATED, AUTHENTICATED_BEFORE_PASSWORD_CHANGE
from gatehouse.common.presentation.http.query import QueryString
from gatehouse.common.presentation.http.route import UseCaseRoute, problems

router = APIRouter(prefix="/api/v1/users", tags=["users"], route_class=UseCaseRoute)


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseOptions:
    free_name: bool = False


ON_A_USER: Final = problems(ForbiddenError, UserNotFoundError)


@router.post("/", status_code=201, dependencies=[AUTHENTICATED], responses=problems(ForbiddenError, UsernameTakenError))
async def create_user(body: CreateUserBody, execute: FromDishka[CreateUser]) -> Account:
    return await execute(body.username, body.password, Role(body.role))


@router.get("/", dependencies=[AUTHENTICATED], responses=problems(ForbiddenError))
async def list_users(
    request: Annotated[UserListRequest, Depends(QueryString(UserListRequest))], query: FromDishka[ListUsers]
) -> EncodedPage[UserList]:
    return await query(request)


@router.get("/{username}", dependencies=[AUTHENTICATED], responses=ON_A_USER)
async def get_user(username: UsernameInPath, query: FromDishka[GetUser]) -> Account:
    return await query(username)


@router.delete("/{username}", status_code=204, dependencies=[AUTHENTICATED], responses=ON_A_USER)
async def erase_user(
    username: UsernameInPath,
    options: Annotated[EraseOptions, Depends(QueryString(EraseOptions))],
    execute: FromDishka[EraseUser],
) -> None:
    await execute(username, free_name=options.free_name)


@router.patch("/inactivate", status_code=204, dependencies=[AUTHENTICATED], responses=ON_A_USER)
async def inactivate_user(body: UsernameBody, execute: FromDishka[InactivateUser]) -> None:
    await execute(body.username)


@router.patch("/reactivate", status_code=204, dependencies=[AUTHENTICATED], responses=ON_A_USER)
async def reactivate_user(body: UsernameBody, execute: FromDishka[ReactivateUser]) -> None:
    await execute(body.username)


@router.patch("/grant", status_code=204, dependencies=[AUTHENTICATED], responses=ON_A_USER)
async def grant_admin(body: UsernameBody, execute: FromDishka[GrantAdmin]) -> None:
    await execute(body.username)


@router.patch("/revoke", status_code=204, dependencies=[AUTHENTICATED], responses=ON_A_USER)
async def revoke_admin(body: UsernameBody, execute: FromDishka[RevokeAdmin]) -> None:
    await execute(body.username)


@router.patch(
    "/change_password",
    status_code=204,
    dependencies=[AUTHENTICATED_BEFORE_PASSWORD_CHANGE],
    responses={
        **problems(
            ForbiddenError, PasswordChangeRequiredError, UserNotFoundError, InvalidCredentialsError, ThrottledError
        ),
        204: SET_COOKIE,
    },
)
async def change_password(
    body: ChangePasswordBody, response: Response, execute: FromDishka[ChangePassword], cookie: FromDishka[SessionCookie]
) -> None:
    if session := await execute(body.username, body.password, body.current_password):
        cookie.set(response, session.token, session.expires_at)


@router.get("/{username}/sessions", dependencies=[AUTHENTICATED], responses=ON_A_USER)
async def list_user_sessions(username: UsernameInPath, query: FromDishka[ListUserSessions]) -> SessionList:
    return await query(username)


@router.delete(
    "/{username}/sessions",
    status_code=204,
    dependencies=[AUTHENTICATED],
    responses=ON_A_USER,
)
async def end_user_sessions(username: UsernameInPath, execute: FromDishka[EndUserSessions]) -> None:
    await execute(username)
