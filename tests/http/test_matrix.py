"""Who may call what on whom: every call, every caller, every target, in every state."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

import httpx
import jwt
import psycopg
import pytest
from psycopg.rows import dict_row

from gatehouse.accounts.domain.role import Role
from tests.conftest import RunningApp
from tests.fakes import PASSWORD
from tests.http.answers import assert_problem
from tests.http.running_app import cookie, token_of


class Caller(StrEnum):
    ANONYMOUS = "anonymous"
    INACTIVE = "inactive"
    """A super admin by role, whose session is still in the database."""
    FORGED = "forged"
    """A super admin's very claims, signed with another key."""
    USER = "user"
    ADMIN = "admin"
    SUPER_ADMIN = "super_admin"


RANK = {"user": 1, "admin": 2, "super_admin": 3}
NEEDED = {"everyone": 0, "strangers": 0, "authenticated": 1, "admin": 2, "super_admin": 3}


@dataclass(frozen=True, slots=True)
class Target:
    role: Literal["user", "admin", "super_admin", "self", "missing"]
    is_active: bool = True

    def __str__(self) -> str:
        return self.role if self.is_active else f"off-{self.role}"

    def username(self, caller: Caller) -> str:
        return f"the-{caller}".replace("_", "-") if self.role == "self" else f"t-{self}".replace("_", "-")


SELF = Target("self")
MISSING = Target("missing")
ACCOUNTS = (
    Target("user"),
    Target("user", is_active=False),
    Target("admin"),
    Target("admin", is_active=False),
    Target("super_admin"),
    Target("super_admin", is_active=False),
)
NAMED = (*ACCOUNTS, SELF, MISSING)


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str
    status: int
    """What it answers when nothing stands in the way."""
    open_to: Literal["everyone", "strangers", "authenticated", "admin", "super_admin"]
    acts_on: Literal["nobody", "anyone", "subordinates", "self or subordinates", "a new account"] = "nobody"

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def targets(self) -> tuple[Target, ...]:
        match self.acts_on:
            case "nobody":
                return (SELF,)
            case "a new account":  # the role it is to have; `self` is the attempt to take one's own name
                return (*(target for target in ACCOUNTS if target.is_active), SELF)
            case _:
                return NAMED


CALLS = (
    Call("GET", "/", 307, "everyone"),
    Call("GET", "/api/v1/", 200, "everyone"),
    Call("GET", "/livez", 200, "everyone"),
    Call("GET", "/readyz", 200, "everyone"),
    Call("POST", "/api/v1/account/signup", 201, "strangers"),
    Call("POST", "/api/v1/account/login", 204, "strangers"),
    Call("DELETE", "/api/v1/account/logout", 204, "authenticated"),
    Call("GET", "/api/v1/account/me", 200, "authenticated"),
    Call("GET", "/api/v1/account/sessions", 200, "authenticated"),
    Call("DELETE", "/api/v1/account/sessions", 204, "authenticated"),
    Call("DELETE", "/api/v1/account/sessions/{session_id}", 404, "authenticated"),  # of a session that never was
    Call("POST", "/api/v1/users/", 201, "admin", "a new account"),
    Call("GET", "/api/v1/users/", 200, "admin"),
    Call("GET", "/api/v1/users/{username}", 200, "admin", "anyone"),
    Call("PATCH", "/api/v1/users/inactivate", 204, "admin", "subordinates"),
    Call("PATCH", "/api/v1/users/reactivate", 204, "admin", "subordinates"),
    Call("PATCH", "/api/v1/users/grant", 204, "super_admin", "subordinates"),
    Call("PATCH", "/api/v1/users/revoke", 204, "super_admin", "subordinates"),
    Call("PATCH", "/api/v1/users/change_password", 204, "admin", "self or subordinates"),
    Call("GET", "/api/v1/users/{username}/sessions", 200, "admin", "subordinates"),
    Call("DELETE", "/api/v1/users/{username}/sessions", 204, "admin", "subordinates"),
    Call("GET", "/api/v1/audit/", 200, "super_admin"),
)
ON_OTHERS = [call for call in CALLS if MISSING in call.targets]


def expected(call: Call, caller: Caller, target: Target) -> int:
    """The contract's rule: the first thing that stands in the way, if anything does."""
    rank = RANK.get(caller, 0)
    target_rank = rank if target is SELF else RANK.get(target.role, 0)
    creates = call.acts_on == "a new account"
    manages = call.acts_on in ("subordinates", "self or subordinates")
    is_own = call.acts_on == "self or subordinates" and target is SELF
    obstacles = [
        (409, call.open_to == "strangers" and rank > 0),
        (401, NEEDED[call.open_to] > 0 and rank == 0),
        (422, creates and target.role == "super_admin"),
        (403, rank < NEEDED[call.open_to] and not is_own),
        (404, target is MISSING),
        (409, creates and target is SELF),
        (403, (creates or manages) and target_rank >= rank and not is_own),
    ]
    return next((status for status, stands in obstacles if stands), call.status)


def request_of(call: Call, caller: Caller, target: Target) -> dict[str, Any]:
    username = target.username(caller)
    body: dict[str, str] | None = {"username": username}
    if call.path.endswith("/signup"):
        body = {"username": "newcomer", "password": PASSWORD}
    elif call.path.endswith("/login"):
        body = {"username": "t-user", "password": PASSWORD}
    elif call.path.endswith("/change_password"):
        current = {"current_password": PASSWORD} if target is SELF else {}
        body = {"username": username, "password": "a whole new sentence", **current}
    elif call.acts_on == "a new account":
        role = "user" if target is SELF else target.role
        name = username if target is SELF else f"new-{role}".replace("_", "-")
        body = {"username": name, "password": PASSWORD, "role": role}
    elif call.method != "PATCH":
        body = None
    return {"method": call.method, "url": call.path.format(username=username, session_id=UUID(int=1)), "json": body}


async def move_in(app: RunningApp, call: Call, caller: Caller) -> httpx.AsyncClient:
    """Everybody who may be named, and the caller."""
    for target in ACCOUNTS if MISSING in call.targets else ACCOUNTS[:1]:
        await app.add_user(target.username(caller), Role(target.role), is_active=target.is_active)
    if caller is Caller.ANONYMOUS:
        return await app.client()
    username = SELF.username(caller)
    client = await app.logged_in(username, Role(caller) if caller in RANK else Role.SUPER_ADMIN)
    if caller is Caller.INACTIVE:
        await app.database.execute("UPDATE users SET is_active = false WHERE username = %(name)s", {"name": username})
    if caller is Caller.FORGED:
        return await app.client(**cookie(forged(token_of(client))))
    return client


def forged(token: str) -> str:
    header, claims = jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims, "another key, long enough for the algorithm", "HS256", header)


async def rows(app: RunningApp) -> dict[str, dict[str, Any]]:
    """All that is known of each user, and how many sessions they have."""
    statement = "SELECT *, (SELECT count(*) FROM sessions WHERE user_id = users.id) AS sessions FROM users"
    return {row["username"]: row for row in await app.database.fetch_all(statement, {}, dict_row)}


@pytest.mark.promise("Z1", "Z2", "Z3")
@pytest.mark.parametrize("caller", Caller)
@pytest.mark.parametrize("call", CALLS, ids=str)
async def test_every_answer_follows_from_the_roles(app: RunningApp, call: Call, caller: Caller) -> None:
    client = await move_in(app, call, caller)
    before = await rows(app)

    statuses = {
        str(target): (await client.request(**request_of(call, caller, target))).status_code for target in call.targets
    }

    assert statuses == {str(target): expected(call, caller, target) for target in call.targets}
    refused = {target.username(caller) for target in call.targets if statuses[str(target)] >= 400}
    after = await rows(app)
    assert len(after) == len(before) + list(statuses.values()).count(201)
    assert {name: after.get(name) for name in refused} == {name: before.get(name) for name in refused}


@pytest.mark.promise("Z8")
@pytest.mark.parametrize("call", ON_OTHERS, ids=str)
async def test_a_caller_without_the_role_cannot_tell_who_exists(
    app: RunningApp, owner: psycopg.Connection, call: Call
) -> None:
    callers = [caller for caller in RANK if RANK[caller] < NEEDED[call.open_to]]
    for caller in callers:
        owner.execute("DELETE FROM users")
        client = await move_in(app, call, Caller(caller))
        others = [target for target in call.targets if target is not SELF]

        answers = [await client.request(**request_of(call, Caller(caller), target)) for target in others]

        for answer in answers:
            assert_problem(answer, "forbidden")
        assert len({tuple(told_by(answer)) for answer in answers}) == 1


def told_by(answer: httpx.Response) -> Iterator[str]:
    """All that an answer says, but for its own name."""
    yield answer.text.replace(answer.headers["x-request-id"], "")
    yield from (f"{name}: {value}" for name, value in answer.headers.items() if name != "x-request-id")


@pytest.mark.promise("Z1")
def test_no_call_is_missing_from_the_matrix(app: RunningApp) -> None:
    served = {
        f"{method.upper()} {path}"
        for path, operations in app.fastapi_app.openapi()["paths"].items()
        for method in operations
    }

    assert served == {str(call) for call in CALLS}
