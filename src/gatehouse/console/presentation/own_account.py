"""One's own account: who I am, my sessions, my password."""

from uuid import UUID

from dishka import FromDishka
from fastapi import APIRouter, Request
from starlette.responses import Response

from gatehouse.accounts import Identity
from gatehouse.accounts.application.commands.change_password import ChangePassword
from gatehouse.accounts.application.commands.end_other_sessions import EndOtherSessions
from gatehouse.accounts.application.commands.end_session import EndSession
from gatehouse.accounts.application.queries.get_me import GetMe
from gatehouse.accounts.application.queries.list_sessions import ListSessions
from gatehouse.accounts.domain.errors import InvalidCredentialsError, SessionNotFoundError
from gatehouse.accounts.presentation.http.cookie import SessionCookie
from gatehouse.common.domain.errors import GatehouseError, InvalidError, ThrottledError
from gatehouse.common.presentation.http.access import AUTHENTICATED, AUTHENTICATED_BEFORE_PASSWORD_CHANGE
from gatehouse.common.presentation.http.route import UseCaseRoute
from gatehouse.console.presentation.errors import render_form
from gatehouse.console.presentation.forms import FormRules, SentForm, errors_of
from gatehouse.console.presentation.log_in import ACCOUNT
from gatehouse.console.presentation.rendering import go_to, render

router = APIRouter(prefix="/console", route_class=UseCaseRoute, include_in_schema=False)


@router.get("/account", dependencies=[AUTHENTICATED])
async def account_page(request: Request, me: FromDishka[GetMe], sessions: FromDishka[ListSessions]) -> Response:
    return render(
        request,
        "own_account.html",
        account=await me(),
        sessions=(await sessions()).sessions,
        done=request.query_params.get("done"),
    )


@router.get("/account/sessions/{session_id}/end", dependencies=[AUTHENTICATED])
async def confirm_end_of_session(request: Request, session_id: UUID, sessions: FromDishka[ListSessions]) -> Response:
    session = next((one for one in (await sessions()).sessions if one.id == session_id), None)
    if session is None:
        raise SessionNotFoundError
    return render(request, "end_session.html", session=session)


@router.post("/account/sessions/{session_id}/end", dependencies=[AUTHENTICATED])
async def end_session(session_id: UUID, execute: FromDishka[EndSession]) -> Response:
    await execute(session_id)
    return go_to(ACCOUNT, done="end-session")


@router.get("/account/end-other-sessions", dependencies=[AUTHENTICATED])
async def confirm_end_of_other_sessions(request: Request) -> Response:
    return render(request, "end_session.html", session=None)


@router.post("/account/end-other-sessions", dependencies=[AUTHENTICATED])
async def end_other_sessions(execute: FromDishka[EndOtherSessions]) -> Response:
    await execute()
    return go_to(ACCOUNT, done="end-other-sessions")


@router.get("/password", dependencies=[AUTHENTICATED_BEFORE_PASSWORD_CHANGE])
async def password_page(request: Request, identity: FromDishka[Identity], rules: FromDishka[FormRules]) -> Response:
    return _password_page(request, identity, rules)


@router.post("/password", dependencies=[AUTHENTICATED_BEFORE_PASSWORD_CHANGE])
async def change_password(
    request: Request,
    form: SentForm,
    identity: FromDishka[Identity],
    execute: FromDishka[ChangePassword],
    cookie: FromDishka[SessionCookie],
    rules: FromDishka[FormRules],
) -> Response:
    try:
        session = await execute(identity.name, form["password"], form["current_password"])
    except (InvalidError, InvalidCredentialsError, ThrottledError) as error:
        return _password_page(request, identity, rules, error)
    response = go_to(ACCOUNT, done="password")
    if session:
        cookie.set(response, session.token, session.expires_at)
    return response


def _password_page(
    request: Request, identity: Identity, rules: FormRules, error: GatehouseError | None = None
) -> Response:
    errors = errors_of(error) if error else {}
    if isinstance(error, InvalidCredentialsError):
        errors = {"current_password": "This is not your current password."}
    return render_form(
        request,
        "password.html",
        error,
        errors=errors,
        is_forced=identity.must_change_password,
        min_length=rules.min_password_length,
    )
