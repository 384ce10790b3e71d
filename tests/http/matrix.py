"""The calls of all modules, as the callers and targets of the matrix make them."""

from typing import Any, Final

import httpx
import jwt

from gatehouse.accounts.domain.role import Role
from tests.conftest import RunningApp
from tests.http.running_app import cookie, token_of
from tests.modules.declaration import Call, Caller, Case, Target

RANK: Final = {"user": 1, "admin": 2, "super_admin": 3}
NEEDED: Final = {"everyone": 0, "strangers": 0, "authenticated": 1, "admin": 2, "super_admin": 3}
SELF: Final = Target("self")
MISSING: Final = Target("missing")
ACCOUNTS: Final = (
    Target("user"),
    Target("user", is_active=False),
    Target("admin"),
    Target("admin", is_active=False),
    Target("super_admin"),
    Target("super_admin", is_active=False),
)


def targets_of(call: Call) -> tuple[Target, ...]:
    match call.acts_on:
        case "nobody":
            return (SELF,)
        case "a new account":  # the role it is to have; `self` is the attempt to take one's own name
            return (*(target for target in ACCOUNTS if target.is_active), SELF)
        case _:
            return (*ACCOUNTS, SELF, MISSING)


def expected_status(call: Call, caller: Caller, target: Target) -> int:
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
    case = Case(caller, target)
    return {"method": call.method, "url": call.url(case.username), "json": call.body(case)}


async def populate(app: RunningApp, call: Call, caller: Caller) -> httpx.AsyncClient:
    """Adds everybody who may be named and what the call needs; gives back the caller's client."""
    for target in ACCOUNTS if MISSING in targets_of(call) else ACCOUNTS[:1]:
        await app.add_user(target.username(caller), Role(target.role), is_active=target.is_active)
    await call.seed(app)
    if caller is Caller.ANONYMOUS:
        return await app.client()
    username = SELF.username(caller)
    client = await app.logged_in(username, Role(caller) if caller in RANK else Role.SUPER_ADMIN)
    if caller is Caller.INACTIVE:
        await app.database.execute("UPDATE users SET is_active = false WHERE username = %(name)s", {"name": username})
    if caller is Caller.FORGED:
        return await app.client(**cookie(_forge(token_of(client))))
    return client


def _forge(token: str) -> str:
    header, claims = jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims, "another key, long enough for the algorithm", "HS256", header)
