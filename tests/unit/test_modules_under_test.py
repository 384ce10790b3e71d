import sys
from dataclasses import replace
from importlib import import_module
from types import ModuleType

import pytest

from gatehouse.common.modules import Module
from gatehouse.setup.modules import MODULES
from gatehouse.testing import under_test
from gatehouse.testing.declaration import ModuleTests
from gatehouse.testing.under_test import (
    UnderTestError,
    all_module_tests,
    all_problems,
    module_tests_of,
    modules_under_test,
    name_module_tests,
)

LOANS = ModuleTests(module=Module(name="loans"), package="acme.loans", problems={"item-lent": (409, "It is lent.")})


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "_all_tests", under_test._all_tests)


def file_with(monkeypatch: pytest.MonkeyPatch, tests: object) -> str:
    file = ModuleType("loans_tests")
    vars(file)["TESTS"] = tests
    monkeypatch.setitem(sys.modules, file.__name__, file)
    return file.__name__


def test_gatehouse_s_own_modules_come_before_those_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    name_module_tests([file_with(monkeypatch, LOANS)])

    assert [module.name for module in modules_under_test()] == [*(module.name for module in MODULES), "loans"]
    assert all_problems()["item-lent"] == (409, "It is lent.")
    assert "username-taken" in all_problems()


def test_what_is_named_for_one_of_gatehouse_s_own_replaces_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    name_module_tests([])
    accounts = replace(module_tests_of("accounts"), problems={})

    name_module_tests([file_with(monkeypatch, accounts)])

    assert module_tests_of("accounts") is accounts
    assert len(all_module_tests()) == len(list(MODULES))


def test_whoever_asks_before_they_are_named_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "_all_tests", None)

    with pytest.raises(UnderTestError, match="not known yet"):
        modules_under_test()


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(UnderTestError, match=r"names no\.such\.file, and there is no no\."):
        name_module_tests(["no.such.file"])


def test_what_is_missing_in_a_file_that_is_there_is_no_mistake_of_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "import_module", lambda _: import_module("no_such_library"))

    with pytest.raises(
        UnderTestError, match=r"loans_tests, which cannot be imported: No module named 'no_such_library'"
    ):
        name_module_tests(["loans_tests"])


@pytest.mark.parametrize("tests", [None, LOANS.module])
def test_a_file_without_a_declaration_is_named(monkeypatch: pytest.MonkeyPatch, tests: object) -> None:
    with pytest.raises(UnderTestError, match="names loans_tests, which has no `TESTS"):
        name_module_tests([file_with(monkeypatch, tests)])
