"""Sign-up, login, and one's own account and sessions."""

from typing import Any, Final
from uuid import UUID

from dishka import FromDishka
from fastapi import APIRouter, Response

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.commands.end_other_sessions import EndOtherSessions
from gatehouse.accounts.application.commands.end_session import EndSession
from gatehouse.accounts.application.commands.log_in import LogIn
from gatehouse.accounts.application.commands.log_out import LogOut
from gatehouse.accounts.application.commands.sign_up import SignUp
from gatehouse.accounts.application.queries.get_me import GetMe
from gatehouse.accounts.application.queries.list_sessions import ListSessions, SessionList
from gatehouse.accounts.domain.errors import InvalidCredentialsError, SessionNotFoundError, UsernameTakenError
from gatehouse.accounts.presentation.http.bodies import LogInBody, SignUpBody
from gatehouse.accounts.presentation.http.cookie import CLEARS_COOKIE_ON_ERROR, SET_COOKIE, SessionCookie
from gatehouse.common.domain.errors import AlreadyAuthenticatedError, ThrottledError, UnauthenticatedError
from gatehouse.common.presentation.http.access import ANONYMOUS, AUTHENTICATED, AUTHENTICATED_BEFORE_PASSWORD_CHANGE
from gatehouse.common.presentation.http.route import UseCaseRoute, problems

router = APIRouter(prefix="/api/v1/account", tags=["account"], route_class=UseCaseRoute)

# Said in so many words, since no tool infers that an item's id in a list is the id in another call's path.
END_FIRST_SESSION: Final[dict[str, Any]] = {
    "operationId": "end_session_api_v1_account_sessions__session_id__delete",
    "parameters": {"session_id": "$response.body#/sessions/0/id"},
}


@router.post(
    "/signup",
    status_code=201,
    dependencies=[ANONYMOUS],
    responses=problems(UsernameTakenError, AlreadyAuthenticatedError, UnauthenticatedError, ThrottledError),
)
async def sign_up(body: SignUpBody, execute: FromDishka[SignUp]) -> Account:
    return await execute(body.username, body.password)


@router.post(
    "/login",
    status_code=204,
    dependencies=[ANONYMOUS],
    responses={
        **problems(InvalidCredentialsError, AlreadyAuthenticatedError, UnauthenticatedError, ThrottledError),
        204: SET_COOKIE,
    },
)
async def log_in(
    body: LogInBody, response: Response, execute: FromDishka[LogIn], cookie: FromDishka[SessionCookie]
) -> None:
    session = await execute(body.username, body.password)
    cookie.set(response, session.token, session.expires_at)


@router.delete(
    "/logout",
    status_code=204,
    dependencies=[CLEARS_COOKIE_ON_ERROR, AUTHENTICATED_BEFORE_PASSWORD_CHANGE],
    responses={204: SET_COOKIE, 401: SET_COOKIE},
)
async def log_out(response: Response, execute: FromDishka[LogOut], cookie: FromDishka[SessionCookie]) -> None:
    await execute()
    cookie.clear(response)


@router.get("/me", dependencies=[AUTHENTICATED])
async def get_me(query: FromDishka[GetMe]) -> Account:
    return await query()


@router.get(
    "/sessions",
    dependencies=[AUTHENTICATED],
    responses={200: {"links": {"end_session": END_FIRST_SESSION}}},
)
async def list_sessions(query: FromDishka[ListSessions]) -> SessionList:
    return await query()


@router.delete(
    "/sessions/{session_id}", status_code=204, dependencies=[AUTHENTICATED], responses=problems(SessionNotFoundError)
)
async def end_session(session_id: UUID, execute: FromDishka[EndSession]) -> None:
    await execute(session_id)


@router.delete("/sessions", status_code=204, dependencies=[AUTHENTICATED])
async def end_other_sessions(execute: FromDishka[EndOtherSessions]) -> None:
    await execute()
