"""Who may call what on whom: every call, every caller, every target, in every state."""

import psycopg
import pytest

from gatehouse.testing.declaration import Call, Caller
from gatehouse.testing.matrix import (
    MISSING,
    check_answers,
    check_refusal_takes_no_lock,
    check_that_a_get_changes_nothing,
    check_that_targets_stay_hidden,
    is_refused_by_role,
    targets_of,
)
from gatehouse.testing.running_app import RunningApp
from gatehouse.testing.under_test import all_calls

CALLS = all_calls()
REFUSED = [(call, caller) for call in CALLS for caller in Caller if is_refused_by_role(call, caller)]


@pytest.mark.promise("Z1", "Z2", "Z3")
@pytest.mark.parametrize("caller", Caller)
@pytest.mark.parametrize("call", CALLS, ids=str)
async def test_every_answer_follows_from_the_roles(
    app: RunningApp, owner: psycopg.Connection, call: Call, caller: Caller
) -> None:
    await check_answers(app, owner, call, caller)


@pytest.mark.promise("Z8")
@pytest.mark.parametrize(("call", "caller"), [case for case in REFUSED if MISSING in targets_of(case[0])], ids=str)
async def test_a_caller_without_the_role_cannot_tell_who_exists(app: RunningApp, call: Call, caller: Caller) -> None:
    await check_that_targets_stay_hidden(app, call, caller)


@pytest.mark.promise("Z12")
@pytest.mark.parametrize(("call", "caller"), [case for case in REFUSED if case[0].method != "GET"], ids=str)
async def test_a_caller_without_the_role_is_refused_though_every_user_is_locked(
    app: RunningApp, owner: psycopg.Connection, call: Call, caller: Caller
) -> None:
    await check_refusal_takes_no_lock(app, owner, call, caller)


@pytest.mark.promise("C3")
@pytest.mark.parametrize("call", [call for call in CALLS if call.method == "GET"], ids=str)
async def test_a_get_changes_no_row(app: RunningApp, owner: psycopg.Connection, call: Call) -> None:
    await check_that_a_get_changes_nothing(app, owner, call)


@pytest.mark.promise("Z1")
def test_no_call_is_missing_from_the_matrix(app: RunningApp) -> None:
    served = {
        f"{method.upper()} {path}"
        for path, operations in app.fastapi_app.openapi()["paths"].items()
        for method in operations
    }

    assert served == {str(call) for call in CALLS}
