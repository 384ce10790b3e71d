"""Which modules are under test: Gatehouse's own, and those whose tests the project names in its settings of pytest."""

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Final

from gatehouse.common.modules import Modules
from gatehouse.testing.declaration import Call, ModuleTests
from gatehouse.testing.declarations.accounts import ACCOUNTS_TESTS
from gatehouse.testing.declarations.audit import AUDIT_TESTS
from gatehouse.testing.declarations.common import COMMON_TESTS
from gatehouse.testing.declarations.console import CONSOLE_TESTS

OPTION: Final = "gatehouse_module_tests"
"""Of pytest: dotted names of Python files, each of which has a value `TESTS`, of the class ModuleTests."""
_OWN: Final = {tests.module.name: tests for tests in (COMMON_TESTS, ACCOUNTS_TESTS, AUDIT_TESTS, CONSOLE_TESTS)}

_all_tests: dict[str, ModuleTests] | None = None


class UnderTestError(Exception):
    """One line for the author."""


def name_module_tests(files: Iterable[str]) -> None:
    """Called once, by the plugin. What is said of one of Gatehouse's own modules replaces what is said here."""
    global _all_tests  # noqa: PLW0603  # the settings of the run, which has one of them
    named = [_tests_in(file) for file in files]
    _all_tests = _OWN | {tests.module.name: tests for tests in named}


def all_module_tests() -> list[ModuleTests]:
    """In the order of the modules: Gatehouse's own, then as named."""
    return list(_by_name().values())


def module_tests_of(name: str) -> ModuleTests:
    """Of the module of that name."""
    return _by_name()[name]


def modules_under_test() -> Modules:
    return Modules(tests.module for tests in all_module_tests())


def all_calls() -> list[Call]:
    return [call for tests in all_module_tests() for call in tests.calls]


def all_problems() -> Mapping[str, tuple[int, str]]:
    """Each slug with its status and title."""
    return {slug: problem for tests in all_module_tests() for slug, problem in tests.problems.items()}


def _by_name() -> dict[str, ModuleTests]:
    if _all_tests is None:
        raise UnderTestError(
            "Which modules are under test is not known yet: ask in a test, a fixture or a file of tests, not while a "
            "conftest.py is imported."
        )
    return _all_tests


def _tests_in(file: str) -> ModuleTests:
    try:
        tests = getattr(import_module(file), "TESTS", None)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{file}.".startswith(f"{error.name}."):
            raise UnderTestError(f"{OPTION} names {file}, which cannot be imported: {error}.") from error
        raise UnderTestError(f"{OPTION} names {file}, and there is no {error.name}.") from None
    except ImportError as error:
        raise UnderTestError(f"{OPTION} names {file}, which cannot be imported: {error}.") from error
    if not isinstance(tests, ModuleTests):
        raise UnderTestError(f"{OPTION} names {file}, which has no `TESTS = ModuleTests(...)`.")
    return tests
