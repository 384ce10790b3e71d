"""The list of users, and acts on several of them."""

from dataclasses import dataclass, replace
from typing import Final

from dishka import AsyncContainer, FromDishka
from fastapi import APIRouter, Request
from pydantic import TypeAdapter
from starlette.responses import Response

from gatehouse.accounts import Identity
from gatehouse.accounts.application.queries.list_users import ListUsers, UserListRequest
from gatehouse.common.domain.errors import ForbiddenError, GatehouseError, InvalidError, NotFoundError
from gatehouse.common.presentation.http.access import AUTHENTICATED
from gatehouse.common.presentation.http.query import QueryString
from gatehouse.common.presentation.http.route import UseCaseRoute
from gatehouse.console.presentation.acts import ACTS, Act, acts_of
from gatehouse.console.presentation.forms import SentForm, filters_of
from gatehouse.console.presentation.log_in import USERS
from gatehouse.console.presentation.rendering import go_to, link, render

router = APIRouter(prefix="/console/users", route_class=UseCaseRoute, include_in_schema=False)

_MAX_SELECTED: Final = 100
_LIST: Final = QueryString(UserListRequest)


@dataclass(frozen=True, slots=True)
class ListedUser:
    """As the query's JSON has it; the role may be one of a later version."""

    username: str
    role: str
    is_active: bool
    created_at: str
    updated_at: str
    last_login_at: str | None


@dataclass(frozen=True, slots=True)
class ListedUsers:
    users: list[ListedUser]
    next_cursor: str | None
    total: int | None


_LISTED: Final = TypeAdapter(ListedUsers)


@router.get("", dependencies=[AUTHENTICATED])
async def users_page(request: Request, identity: FromDishka[Identity], query: FromDishka[ListUsers]) -> Response:
    asked_for = _LIST.parse([(name, value) for name, value in filters_of(request) if name != "done"])
    try:
        users = _LISTED.validate_json(await query(replace(asked_for, with_total=True)))
    except InvalidError as error:
        return _users_page(request, identity, asked_for, ListedUsers([], None, 0), error)
    return _users_page(request, identity, asked_for, users)


@router.get("/many", dependencies=[AUTHENTICATED])
async def leave_selection() -> Response:
    return go_to(USERS)


@router.post("/many", dependencies=[AUTHENTICATED])
async def act_on_selected(
    request: Request, form: SentForm, identity: FromDishka[Identity], container: FromDishka[AsyncContainer]
) -> Response:
    """Asks first; then each is a command of its own, with a transaction and an outcome of its own."""
    act = _act_for_many(form["act"])
    usernames = list(dict.fromkeys(form.all_of("username")))
    if not 0 < len(usernames) <= _MAX_SELECTED:
        raise InvalidError("username", f"Select 1 to {_MAX_SELECTED} users.")
    execute = await container.get(act.command)
    if act not in acts_of(identity):
        await execute(usernames[0])  # refuses, since the role is judged first, and records that it did
        raise ForbiddenError
    if form["confirmed"] != "yes":
        return render(request, "confirm_selected.html", act=act, usernames=usernames)
    outcomes: list[tuple[str, GatehouseError | None]] = []
    for username in usernames:
        try:
            await execute(username)
        except GatehouseError as error:
            outcomes.append((username, error))
        else:
            outcomes.append((username, None))
    return render(request, "outcomes.html", act=act, outcomes=outcomes)


def _act_for_many(name: str) -> Act:
    act = ACTS.get(name)
    if act is None or not act.is_for_many:
        raise NotFoundError
    return act


def _users_page(
    request: Request,
    identity: Identity,
    asked_for: UserListRequest,
    users: ListedUsers,
    error: InvalidError | None = None,
) -> Response:
    filtered = link(
        USERS,
        limit=asked_for.limit,
        search=asked_for.search,
        role=asked_for.role,
        is_active=asked_for.is_active,
    )
    return render(
        request,
        "users.html",
        422 if error else 200,
        users=users.users,
        total=users.total,
        next_cursor=users.next_cursor,
        asked_for=asked_for,
        filtered=filtered,
        sorted=f"{filtered}&sorting_field={asked_for.sorting_field}&sorting_order={asked_for.sorting_order}",
        acts=[act for act in acts_of(identity) if act.is_for_many],
        error=error,
        done=request.query_params.get("done"),
    )
