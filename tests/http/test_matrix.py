"""Who may call what on whom: every call, every caller, every target, in every state."""

from collections.abc import Iterator

import httpx
import psycopg
import pytest

from tests.conftest import RunningApp
from tests.database import Rows, rows_of
from tests.http.answers import assert_problem
from tests.http.matrix import MISSING, NEEDED, RANK, SELF, expected_status, populate, request_of, targets_of
from tests.modules import all_calls, all_module_tests
from tests.modules.declaration import Call, Caller

CALLS = all_calls()
ON_OTHERS = [call for call in CALLS if MISSING in targets_of(call)]
COMMANDS_OF_ADMINS = [
    (call, caller)
    for call in CALLS
    for caller in RANK
    if call.method != "GET" and NEEDED[call.open_to] > max(RANK[caller], NEEDED["authenticated"])
]
ALWAYS_TOUCHED = frozenset(table for tests in all_module_tests() for table in tests.tables_of_refused_calls)


def changed_tables(before: Rows, after: Rows) -> set[str]:
    return {table for table in before if before[table] != after[table]}


@pytest.mark.promise("Z1", "Z2", "Z3")
@pytest.mark.parametrize("caller", Caller)
@pytest.mark.parametrize("call", CALLS, ids=str)
async def test_every_answer_follows_from_the_roles(
    app: RunningApp, owner: psycopg.Connection, call: Call, caller: Caller
) -> None:
    client = await populate(app, call, caller)
    before = rows_of(owner)
    for target in targets_of(call):
        answer = await client.request(**request_of(call, caller, target))
        after = rows_of(owner)

        assert answer.status_code == expected_status(call, caller, target), target
        may_change = ALWAYS_TOUCHED | (call.touches if answer.is_success else frozenset())
        assert changed_tables(before, after) <= may_change, target
        if answer.status_code == 201:
            assert any(len(after[table]) == len(before[table]) + 1 for table in call.touches), target
        before = after


@pytest.mark.promise("Z8")
@pytest.mark.parametrize("call", ON_OTHERS, ids=str)
async def test_a_caller_without_the_role_cannot_tell_who_exists(
    app: RunningApp, owner: psycopg.Connection, call: Call
) -> None:
    callers = [caller for caller in RANK if RANK[caller] < NEEDED[call.open_to]]
    for caller in callers:
        owner.execute("DELETE FROM users")
        client = await populate(app, call, Caller(caller))
        others = [target for target in targets_of(call) if target is not SELF]

        answers = [await client.request(**request_of(call, Caller(caller), target)) for target in others]

        for answer in answers:
            assert_problem(answer, "forbidden")
        assert len({tuple(contents_of(answer)) for answer in answers}) == 1


@pytest.mark.promise("Z12")
@pytest.mark.parametrize(("call", "caller"), COMMANDS_OF_ADMINS, ids=str)
async def test_a_caller_without_the_role_is_refused_though_every_user_is_locked(
    app: RunningApp, owner: psycopg.Connection, call: Call, caller: str
) -> None:
    client = await populate(app, call, Caller(caller))
    with owner.transaction():
        owner.execute("SELECT FROM users FOR UPDATE")

        answer = await client.request(**request_of(call, Caller(caller), targets_of(call)[0]))

    assert_problem(answer, "forbidden")


@pytest.mark.promise("C3")
@pytest.mark.parametrize("call", [call for call in CALLS if call.method == "GET"], ids=str)
async def test_a_get_changes_no_row(app: RunningApp, owner: psycopg.Connection, call: Call) -> None:
    client = await populate(app, call, Caller.SUPER_ADMIN)
    before = rows_of(owner)

    answers = [await client.request(**request_of(call, Caller.SUPER_ADMIN, target)) for target in targets_of(call)]

    recorded = {"audit_events"} if any(answer.status_code == 403 for answer in answers) else set[str]()
    assert changed_tables(before, rows_of(owner)) <= recorded


def contents_of(answer: httpx.Response) -> Iterator[str]:
    """All that an answer says, but for its request id."""
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
