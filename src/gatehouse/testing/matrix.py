"""Who may call what on whom: every call, every caller, every target, in every state.

For a module of one's own:

    @pytest.mark.parametrize("caller", Caller)
    @pytest.mark.parametrize("call", TESTS.calls, ids=str)
    async def test_who_may_call_what_on_whom(
        app: RunningApp, owner: psycopg.Connection, call: Call, caller: Caller
    ) -> None:
        await check_matrix(app, owner, call, caller)
"""

from collections.abc import Iterator
from typing import Any, Final

import httpx
import jwt
import psycopg

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.answers import assert_problem
from gatehouse.testing.database import changed_tables, empty_database, rows_of
from gatehouse.testing.declaration import Call, Caller, Case, Target
from gatehouse.testing.running_app import RunningApp, cookie, token_of
from gatehouse.testing.under_test import all_module_tests

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


async def check_matrix(app: RunningApp, owner: psycopg.Connection, call: Call, caller: Caller) -> None:
    """All that the checks below say of the call by that caller. It begins on an empty database."""
    await check_answers(app, owner, call, caller)
    if is_refused_by_role(call, caller) and MISSING in targets_of(call):
        await empty_database(app.container, owner)
        await check_that_targets_stay_hidden(app, call, caller)
    if is_refused_by_role(call, caller) and call.method != "GET":
        await empty_database(app.container, owner)
        await check_refusal_takes_no_lock(app, owner, call, caller)
    if call.method == "GET" and caller is Caller.SUPER_ADMIN:
        await empty_database(app.container, owner)
        await check_that_a_get_changes_nothing(app, owner, call)


async def check_answers(app: RunningApp, owner: psycopg.Connection, call: Call, caller: Caller) -> None:
    """Each answer follows from the roles, and a call changes only the tables that it touches, when it succeeds."""
    always = frozenset(table for tests in all_module_tests() for table in tests.tables_of_refused_calls)
    client = await populate(app, call, caller)
    before = rows_of(owner)
    for target in targets_of(call):
        answer = await client.request(**request_of(call, caller, target))
        after = rows_of(owner)

        status = expected_status(call, caller, target)
        assert answer.status_code == status, f"{call}, called by {caller} on {target}: {answer.text}"
        may_change = always | (call.touches if answer.is_success else frozenset())
        assert changed_tables(before, after) <= may_change, target
        if answer.status_code == 201:
            assert any(len(after[table]) == len(before[table]) + 1 for table in call.touches), target
        before = after


async def check_that_targets_stay_hidden(app: RunningApp, call: Call, caller: Caller) -> None:
    """A caller without the role cannot tell who exists: all answers are the same."""
    client = await populate(app, call, caller)
    others = [target for target in targets_of(call) if target is not SELF]

    answers = [await client.request(**request_of(call, caller, target)) for target in others]

    for answer in answers:
        assert_problem(answer, "forbidden")
    assert len({tuple(_contents_of(answer)) for answer in answers}) == 1


async def check_refusal_takes_no_lock(app: RunningApp, owner: psycopg.Connection, call: Call, caller: Caller) -> None:
    """A caller without the role is refused though another transaction has locked every user."""
    client = await populate(app, call, caller)
    with owner.transaction():
        owner.execute("SELECT FROM users FOR UPDATE")

        answer = await client.request(**request_of(call, caller, targets_of(call)[0]))

    assert_problem(answer, "forbidden")


async def check_that_a_get_changes_nothing(app: RunningApp, owner: psycopg.Connection, call: Call) -> None:
    """But for the record of a refusal."""
    client = await populate(app, call, Caller.SUPER_ADMIN)
    before = rows_of(owner)

    answers = [await client.request(**request_of(call, Caller.SUPER_ADMIN, target)) for target in targets_of(call)]

    recorded = {"audit_events"} if any(answer.status_code == 403 for answer in answers) else set[str]()
    assert changed_tables(before, rows_of(owner)) <= recorded


def is_refused_by_role(call: Call, caller: Caller) -> bool:
    """Whatever the target is: the caller is logged in, and has not the role that the call asks for."""
    return 0 < RANK.get(caller, 0) < NEEDED[call.open_to]


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
        (call.status_of_inactive or call.status, not target.is_active),
        (call.status_for_others or call.status, rank < NEEDED["admin"]),
    ]
    return next((status for status, stands in obstacles if stands), call.status)


def request_of(call: Call, caller: Caller, target: Target) -> dict[str, Any]:
    case = Case(caller, target)
    return {"method": call.method, "url": call.url(case.username), "json": call.body(case)}


async def populate(app: RunningApp, call: Call, caller: Caller) -> httpx.AsyncClient:
    """Adds everybody who may be named and what the call needs; gives back the caller's client."""
    named = ACCOUNTS if MISSING in targets_of(call) else ACCOUNTS[:1]
    accounts = [(target.username(caller), Role(target.role), target.is_active) for target in named]
    username = SELF.username(caller)
    if caller is not Caller.ANONYMOUS:
        accounts.append((username, Role(caller) if caller in RANK else Role.SUPER_ADMIN, True))
    await app.add_users(accounts)
    await call.seed(app)
    if caller is Caller.ANONYMOUS:
        return await app.client()
    client = await app.log_in(username)
    if caller is Caller.INACTIVE:
        await app.database.execute("UPDATE users SET is_active = false WHERE username = %(name)s", {"name": username})
    if caller is Caller.FORGED:
        return await app.client(**cookie(_forge(token_of(client))))
    return client


def _forge(token: str) -> str:
    header, claims = jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims, "another key, long enough for the algorithm", "HS256", header)


def _contents_of(answer: httpx.Response) -> Iterator[str]:
    """All that an answer says, but for its request id."""
    yield answer.text.replace(answer.headers["x-request-id"], "")
    yield from (f"{name}: {value}" for name, value in answer.headers.items() if name != "x-request-id")
