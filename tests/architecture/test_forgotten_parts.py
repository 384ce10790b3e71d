"""Each part of the sample module is forgotten once: the checks name it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from gatehouse.common.presentation.http.route import UseCaseRoute
from gatehouse.setup.check_modules import _wrong_constraints
from gatehouse.testing.completeness import missing_parts
from gatehouse.testing.in_memory_app import InMemoryApp
from gatehouse.testing.under_test import module_tests_of
from tests.modules.badges.declaration import TESTS
from tests.outside import importable, write_package
from tests.root import ROOT
from tests.sample.application.commands import withdraw_badge
from tests.sample.application.commands.withdraw_badge import WithdrawBadge
from tests.sample.application.ports import Badges
from tests.sample.domain.errors import BadgeTakenError
from tests.sample.infrastructure.tables import badges


@dataclass(frozen=True)
class NestedSettings:
    hours: Mapping[str, int] = field(default_factory=dict)


FORGOTTEN_IN_THE_MODULE: Mapping[str, tuple[dict[str, Any], str]] = {
    "a command": (
        {"commands": TESTS.module.commands[:1]},
        "commands: WithdrawBadge is not in the `commands` of module.py.",
    ),
    "a query": ({"queries": ()}, "queries: ListBadges is not in the `queries` of module.py."),
    "the providers": ({"providers": ()}, "providers: BadgesProvider is not in the `providers` of module.py."),
    "the router": (
        {"routers": ()},
        "routers: tests.sample.presentation.http.badges.router is not in the `routers` of module.py.",
    ),
    "the table": (
        {"tables": {}},
        (
            "start: the table badges of tests.sample.infrastructure.tables is not in `tables` of its MODULE, with the "
            "privileges of the server's database role."
        ),
    ),
    "the constraint": (
        {"constraints": {}},
        "constraints: uq_badges_name has no error in the `constraints` of module.py.",
    ),
}
FORGOTTEN_IN_THE_TESTS: Mapping[str, tuple[dict[str, Any], str]] = {
    "a row of the matrix": (
        {"calls": TESTS.calls[:2]},
        "matrix: DELETE /api/v1/badges/{badge_id} is not exactly once in the `calls` of its tests.",
    ),
    "a route that a row of the matrix is about": (
        {"calls": (*TESTS.calls, replace(TESTS.calls[0], path="/api/v1/no-such-route"))},
        "matrix: POST /api/v1/no-such-route is in the `calls` of its tests, and no route.",
    ),
    "a fault case": (
        {"fault_cases": TESTS.fault_cases[:1]},
        "fault cases: WithdrawBadge has none.",
    ),
    "a problem": (
        {"problems": {"badge-taken": TESTS.problems["badge-taken"]}},
        "problems: badge-not-found of BadgeNotFoundError is not in the `problems` of its tests.",
    ),
    "an error that a problem is about": (
        {"problems": {**TESTS.problems, "badge-lost": (409, "It is lost.")}},
        "problems: badge-lost is in the `problems` of its tests, and no error.",
    ),
    "a port": ({"ports": {}}, "contract: Badges is not in the `ports` of its tests."),
    "the contract's test": (
        {"ports": {Badges: "tests/integration/test_nothing.py"}},
        "contract: there is no tests/integration/test_nothing.py, which is to hold Badges.",
    ),
}


@pytest.mark.parametrize("part", FORGOTTEN_IN_THE_MODULE)
def test_what_is_forgotten_in_module_py_is_named(part: str) -> None:
    change, message = FORGOTTEN_IN_THE_MODULE[part]

    assert message in missing_parts(replace(TESTS, module=replace(TESTS.module, **change)), ROOT)


FORGOTTEN_IN_ACCOUNTS: Mapping[str, tuple[dict[str, Any], str]] = {
    "a section of the settings": (
        {"settings": {}},
        "settings: ThrottleSettings is not in the `settings` of module.py.",
    ),
    "commands of the command line": (
        {"cli": ()},
        "command line: gatehouse.accounts.presentation.cli.super_admins.register is not in the `cli` of module.py.",
    ),
    "what runs in the background": (
        {"background": ()},
        "background: run_purge is not in the `background` of module.py.",
    ),
}


@pytest.mark.parametrize("part", FORGOTTEN_IN_ACCOUNTS)
def test_what_the_sample_does_not_have_is_named_too(part: str) -> None:
    change, message = FORGOTTEN_IN_ACCOUNTS[part]
    accounts = module_tests_of("accounts")

    assert message in missing_parts(replace(accounts, module=replace(accounts.module, **change)), ROOT)


def test_a_route_without_access_marker_and_description_is_named() -> None:
    router = APIRouter(route_class=UseCaseRoute)

    @router.get("/open")
    async def open_to_whom() -> None: ...

    lines = missing_parts(replace(TESTS, module=replace(TESTS.module, routers=(router,))), ROOT)

    assert any(line.startswith("start: the route GET /open does not say who may call it: ") for line in lines)
    assert "OpenAPI: open_to_whom has no description: neither its use case nor itself has a docstring." in lines


def test_a_use_case_without_its_decorator_or_its_unit_test_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(withdraw_badge, "WithdrawBadge")

    lines = missing_parts(TESTS, Path("/nowhere"))

    assert "commands: withdraw_badge.py has no use case WithdrawBadge, declared with @command or @query." in lines
    assert "unit test: there is no tests/unit/test_award_badge.py." in lines


def test_a_use_case_without_its_rule_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WithdrawBadge, "__doc__", f"WithdrawBadge{signature(WithdrawBadge)}")

    lines = missing_parts(TESTS, ROOT)

    assert "commands: WithdrawBadge has no docstring, which is its rule and its documentation." in lines


def test_a_fake_that_is_forgotten_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InMemoryApp, "ports", frozenset())

    assert "fakes: BadgePages has none." in missing_parts(replace(TESTS, fakes=lambda _: {}), ROOT)


@pytest.mark.parametrize("part", FORGOTTEN_IN_THE_TESTS)
def test_what_is_forgotten_in_the_tests_is_named(part: str) -> None:
    change, message = FORGOTTEN_IN_THE_TESTS[part]

    assert message in missing_parts(replace(TESTS, **change), ROOT)


def test_a_port_that_nothing_provides_is_named() -> None:
    lines = missing_parts(replace(TESTS, module=replace(TESTS.module, providers=())), ROOT)

    assert "start: nothing provides Badges, which AwardBadge needs." in lines


def test_a_use_case_that_a_route_asks_for_and_nothing_provides_is_named() -> None:
    lines = missing_parts(replace(TESTS, module=replace(TESTS.module, commands=())), ROOT)

    assert any(
        line.startswith("start: the route /api/v1/badges/ asks for AwardBadge, which nothing ") for line in lines
    )


def test_what_the_start_would_refuse_is_named(tmp_path: Path) -> None:
    write_package(tmp_path, module="MODULE = None")
    sections = {"badges": NestedSettings}

    with importable(tmp_path):
        lines = missing_parts(
            replace(TESTS, package="acme.loans", module=replace(TESTS.module, settings=sections)), ROOT
        )

    assert "start: app.modules: acme.loans: its module.py has no value MODULE." in lines
    [line] = missing_parts(replace(TESTS, module=replace(TESTS.module, settings=sections)), ROOT)
    assert line.startswith("start: hours of the section [badges] has a type that a variable or config.toml ")


def test_an_action_that_is_forgotten_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(WithdrawBadge, "action")

    lines = missing_parts(TESTS, ROOT)

    assert 'audit action: WithdrawBadge records events and has no `action: ClassVar = "withdraw_badge"`.' in lines


def test_an_exclusion_constraint_without_an_error_is_named() -> None:
    rule = ExcludeConstraint(("name", "="), name="ex_badges_name")
    badges.append_constraint(rule)
    try:
        assert missing_parts(TESTS, ROOT) == [
            "constraints: ex_badges_name has no error in the `constraints` of module.py."
        ]
        outside = replace(TESTS.module, constraints={**TESTS.module.constraints, "ex_badges_name": BadgeTakenError})
        assert list(_wrong_constraints(outside)) == []
    finally:
        badges.constraints.remove(rule)
