"""Logging in and out, signing up, and where the console begins."""

from typing import Final

from dishka import FromDishka
from fastapi import APIRouter, Request
from starlette.responses import Response

from gatehouse.accounts import USERNAME_RULE, Identity, Role
from gatehouse.accounts.application.commands.log_in import LogIn
from gatehouse.accounts.application.commands.log_out import LogOut
from gatehouse.accounts.application.commands.sign_up import SignUp
from gatehouse.accounts.domain.errors import InvalidCredentialsError, UsernameTakenError
from gatehouse.accounts.presentation.http.cookie import CLEARS_COOKIE_ON_ERROR, SessionCookie
from gatehouse.common.domain.errors import GatehouseError, InvalidError, NotFoundError, ThrottledError
from gatehouse.common.presentation.http.access import (
    ANONYMOUS,
    AUTHENTICATED,
    AUTHENTICATED_BEFORE_PASSWORD_CHANGE,
    EVERYONE,
)
from gatehouse.common.presentation.http.route import UseCaseRoute
from gatehouse.console.presentation.errors import LOG_IN, path_after_log_in, path_of_console, render_form
from gatehouse.console.presentation.forms import Form, FormRules, SentForm, errors_of
from gatehouse.console.presentation.rendering import PREFIX, go_to
from gatehouse.console.presentation.theme import keep_theme

router = APIRouter(prefix="/console", route_class=UseCaseRoute, include_in_schema=False)

USERS: Final = f"{PREFIX}users"
ACCOUNT: Final = f"{PREFIX}account"


@router.get("", dependencies=[EVERYONE])
async def without_slash() -> Response:
    return go_to(PREFIX)


@router.get("/", dependencies=[AUTHENTICATED])
async def start(identity: FromDishka[Identity]) -> Response:
    return go_to(ACCOUNT if identity.role is Role.USER else USERS)


@router.post("/theme", dependencies=[EVERYONE])
async def choose_theme(form: SentForm) -> Response:
    response = go_to(path_of_console(form["next"]))
    keep_theme(response, form["theme"])
    return response


@router.get("/log-in", dependencies=[ANONYMOUS])
async def log_in_page(request: Request, rules: FromDishka[FormRules]) -> Response:
    return _log_in_page(request, rules, Form([("next", request.query_params.get("next", ""))]))


@router.post("/log-in", dependencies=[ANONYMOUS])
async def log_in(
    request: Request,
    form: SentForm,
    execute: FromDishka[LogIn],
    cookie: FromDishka[SessionCookie],
    rules: FromDishka[FormRules],
) -> Response:
    try:
        session = await execute(form["username"].strip(), form["password"])
    except (InvalidCredentialsError, ThrottledError) as error:
        return _log_in_page(request, rules, form, error)
    response = go_to(path_after_log_in(form["next"]))
    cookie.set(response, session.token, session.expires_at)
    return response


@router.post("/log-out", dependencies=[CLEARS_COOKIE_ON_ERROR, AUTHENTICATED_BEFORE_PASSWORD_CHANGE])
async def log_out(execute: FromDishka[LogOut], cookie: FromDishka[SessionCookie]) -> Response:
    await execute()
    response = go_to(LOG_IN)
    cookie.clear(response)
    return response


@router.get("/sign-up", dependencies=[ANONYMOUS])
async def sign_up_page(request: Request, rules: FromDishka[FormRules]) -> Response:
    return _sign_up_page(request, rules, Form())


@router.post("/sign-up", dependencies=[ANONYMOUS])
async def sign_up(
    request: Request, form: SentForm, execute: FromDishka[SignUp], rules: FromDishka[FormRules]
) -> Response:
    _ensure_sign_up_is_open(rules)
    try:
        await execute(form["username"].strip(), form["password"])
    except (InvalidError, UsernameTakenError, ThrottledError) as error:
        return _sign_up_page(request, rules, form, error)
    return go_to(LOG_IN, done="sign-up")


def _log_in_page(
    request: Request, rules: FormRules, form: Form, error: InvalidCredentialsError | ThrottledError | None = None
) -> Response:
    return render_form(
        request,
        "log_in.html",
        error,
        form=form,
        message=error.detail if error else None,
        done=request.query_params.get("done"),
        may_sign_up=rules.may_sign_up,
    )


def _sign_up_page(request: Request, rules: FormRules, form: Form, error: GatehouseError | None = None) -> Response:
    _ensure_sign_up_is_open(rules)
    return render_form(
        request,
        "sign_up.html",
        error,
        form=form,
        errors=errors_of(error, "username") if error else {},
        username_rule=USERNAME_RULE,
        min_length=rules.min_password_length,
    )


def _ensure_sign_up_is_open(rules: FormRules) -> None:
    if not rules.may_sign_up:
        raise NotFoundError
