"""A declaration that is not true, or a call that breaks a rule, fails the check of the matrix."""

from dataclasses import replace
from typing import Any, Final

import psycopg
import pytest

from gatehouse.testing.declaration import Call, Caller, no_body
from gatehouse.testing.matrix import check_matrix
from gatehouse.testing.running_app import RunningApp
from tests.modules.badges.declaration import TESTS

pytestmark = pytest.mark.slow

AWARD, LIST, WITHDRAW = TESTS.calls

UNTRUE: Final[list[tuple[str, Call, Caller, dict[str, Any]]]] = [
    ("it is open to more than declared", LIST, Caller.USER, {"open_to": "admin"}),
    ("it is open to fewer than declared", WITHDRAW, Caller.USER, {"open_to": "authenticated"}),
    ("it acts on everybody but is not known to", AWARD, Caller.ADMIN, {"acts_on": "anyone"}),
    ("it answers otherwise", LIST, Caller.USER, {"status": 204}),
    ("it changes a table that is not named", WITHDRAW, Caller.ADMIN, {"touches": frozenset[str]()}),
    ("it takes inactive accounts", AWARD, Caller.ADMIN, {"status_of_inactive": 409}),
    ("it names nobody", AWARD, Caller.ADMIN, {"body": no_body}),
]


@pytest.mark.parametrize(("call", "caller", "untrue"), [case[1:] for case in UNTRUE], ids=[case[0] for case in UNTRUE])
async def test_what_is_declared_is_noticed_where_it_is_not_true(
    app: RunningApp, owner: psycopg.Connection, call: Call, caller: Caller, untrue: dict[str, Any]
) -> None:
    with pytest.raises(AssertionError):
        await check_matrix(app, owner, replace(call, **untrue), caller)


@pytest.mark.parametrize("caller", Caller)
@pytest.mark.parametrize("call", TESTS.calls, ids=str)
async def test_what_is_true_passes_all_checks_in_one(
    app: RunningApp, owner: psycopg.Connection, call: Call, caller: Caller
) -> None:
    await check_matrix(app, owner, call, caller)
