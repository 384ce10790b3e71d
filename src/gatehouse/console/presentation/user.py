"""One user: facts, sessions, events and acts; and a new user."""

import secrets
from operator import attrgetter
from typing import Any, Final

from dishka import AsyncContainer, FromDishka
from fastapi import APIRouter, Request
from starlette.responses import Response

from gatehouse.accounts import USERNAME_RULE, Account, Identity, Role, manages
from gatehouse.accounts.application.commands.change_password import ChangePassword
from gatehouse.accounts.application.commands.create_user import CreateUser
from gatehouse.accounts.application.queries.get_user import GetUser
from gatehouse.accounts.application.queries.list_user_sessions import ListUserSessions
from gatehouse.accounts.domain.errors import UsernameTakenError
from gatehouse.audit.application.events import AuditEvent, AuditRequest
from gatehouse.audit.application.queries.list_audit_events import ListAuditEvents
from gatehouse.common.domain.errors import ForbiddenError, GatehouseError, InvalidError, NotFoundError
from gatehouse.common.presentation.http.access import AUTHENTICATED
from gatehouse.common.presentation.http.route import UseCaseRoute
from gatehouse.console.presentation.acts import ACTS, Act, acts_of, acts_on
from gatehouse.console.presentation.errors import render_form
from gatehouse.console.presentation.forms import Form, FormRules, SentForm, errors_of
from gatehouse.console.presentation.log_in import USERS
from gatehouse.console.presentation.rendering import go_to, path_of_user, render

router = APIRouter(prefix="/console/users", route_class=UseCaseRoute, include_in_schema=False)

_LATEST_EVENTS: Final = 10
_SAID: Final = {
    **{act.name: act.after for act in ACTS.values()},
    "create": "is created, and must change the password at the first login",
    "password": "has the new password, and must change it at the next login",
}


@router.get("/new", dependencies=[AUTHENTICATED])
async def new_user_page(request: Request, identity: FromDishka[Identity], rules: FromDishka[FormRules]) -> Response:
    return _new_user_page(request, identity, rules, Form())


@router.post("/new", dependencies=[AUTHENTICATED])
async def create_user(
    request: Request,
    form: SentForm,
    identity: FromDishka[Identity],
    execute: FromDishka[CreateUser],
    rules: FromDishka[FormRules],
) -> Response:
    try:
        role = Role(form["role"] or Role.USER)
    except ValueError:
        raise InvalidError("role", "Must be a role.") from None
    try:
        account = await execute(form["username"].strip(), form["password"], role)
    except (InvalidError, UsernameTakenError) as error:
        return _new_user_page(request, identity, rules, form, error)
    return go_to(path_of_user(account.username), done="create")


@router.get("/{username}", dependencies=[AUTHENTICATED])
async def user_page(
    request: Request,
    username: str,
    identity: FromDishka[Identity],
    get_user: FromDishka[GetUser],
    list_sessions: FromDishka[ListUserSessions],
    list_events: FromDishka[ListAuditEvents],
) -> Response:
    account = await get_user(username)
    is_managed = manages(identity.role, account.role)
    return render(
        request,
        "user.html",
        account=account,
        acts=acts_on(identity, account),
        is_managed=is_managed,
        sessions=(await list_sessions(username)).sessions if is_managed else None,
        events=await _latest_events(list_events, account) if identity.role is Role.SUPER_ADMIN else None,
        done=request.query_params.get("done"),
        said=_SAID,
    )


@router.get("/{username}/password", dependencies=[AUTHENTICATED])
async def password_page(
    request: Request,
    username: str,
    identity: FromDishka[Identity],
    get_user: FromDishka[GetUser],
    rules: FromDishka[FormRules],
) -> Response:
    account = await get_user(username)
    if not manages(identity.role, account.role):
        raise ForbiddenError
    return _password_page(request, account.username, rules)


@router.post("/{username}/password", dependencies=[AUTHENTICATED])
async def set_password(
    request: Request, username: str, form: SentForm, execute: FromDishka[ChangePassword], rules: FromDishka[FormRules]
) -> Response:
    try:
        await execute(username, form["password"], None)
    except InvalidError as error:
        if error.field == "current_password":  # one's own is changed on another page
            raise ForbiddenError from None
        if error.field != "password":
            raise
        return _password_page(request, username, rules, error)
    return go_to(path_of_user(username), done="password")


@router.get("/{username}/{act_name}", dependencies=[AUTHENTICATED])
async def confirm_act(
    request: Request, username: str, act_name: str, identity: FromDishka[Identity], get_user: FromDishka[GetUser]
) -> Response:
    act = _act(act_name)
    if act not in acts_of(identity):  # before it is said who exists
        raise ForbiddenError
    account = await get_user(username)
    if not manages(identity.role, account.role):
        raise ForbiddenError
    return render(request, "confirm.html", act=act, account=account)


@router.post("/{username}/{act_name}", dependencies=[AUTHENTICATED])
async def act_on_user(username: str, act_name: str, form: SentForm, container: FromDishka[AsyncContainer]) -> Response:
    act = _act(act_name)
    execute = await container.get(act.command)
    if act.name == "erase":
        await execute(username, free_name=form["free_name"] == "yes")
        return go_to(USERS, done="erase")
    await execute(username)
    return go_to(path_of_user(username), done=act.name)


def _act(name: str) -> Act:
    act = ACTS.get(name)
    if act is None:
        raise NotFoundError
    return act


async def _latest_events(list_events: ListAuditEvents, account: Account) -> list[AuditEvent]:
    """Of those by and on the user, the newest."""
    by_user = await list_events(AuditRequest(actor=account.username, limit=_LATEST_EVENTS))
    on_user = await list_events(AuditRequest(target=account.username, limit=_LATEST_EVENTS))
    events = {event.id: event for event in [*by_user.events, *on_user.events]}
    return sorted(events.values(), key=attrgetter("at", "id"), reverse=True)[:_LATEST_EVENTS]


def _new_user_page(
    request: Request, identity: Identity, rules: FormRules, form: Form, error: GatehouseError | None = None
) -> Response:
    if identity.role is Role.USER:
        raise ForbiddenError
    return render_form(
        request,
        "new_user.html",
        error,
        form=form,
        username_rule=USERNAME_RULE,
        **_password_values(rules, error),
    )


def _password_page(request: Request, username: str, rules: FormRules, error: InvalidError | None = None) -> Response:
    return render_form(
        request,
        "set_password.html",
        error,
        username=username,
        **_password_values(rules, error),
    )


def _password_values(rules: FormRules, error: GatehouseError | None) -> dict[str, Any]:
    return {
        "errors": errors_of(error, "username") if error else {},
        "min_length": rules.min_password_length,
        "proposal": secrets.token_urlsafe(18),
    }
