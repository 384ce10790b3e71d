"""What is missing from a module's declaration, or from what its tests say of it: a line that names the part.

For a module of one's own:

    def test_nothing_is_missing(pytestconfig: pytest.Config) -> None:
        check_completeness(TESTS, pytestconfig.rootpath)
"""

import ast
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

import pytest
from dishka import Provider
from fastapi import APIRouter
from fastapi.routing import APIRoute
from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from gatehouse.common.application.ports import Audit, Transaction
from gatehouse.common.application.use_case import is_use_case
from gatehouse.common.domain.errors import GatehouseError
from gatehouse.common.modules import Module, Modules
from gatehouse.common.settings import ConfigError
from gatehouse.setup.check_modules import mistakes_of
from gatehouse.setup.check_routes import routes_of
from gatehouse.setup.container import incomplete_parts
from gatehouse.setup.outside_module import LoadedModule, load_module
from gatehouse.testing.declaration import ModuleTests
from gatehouse.testing.in_memory_app import InMemoryApp
from gatehouse.testing.under_test import all_module_tests

type _Check = Callable[[ModuleTests], Iterator[str]]


def check_completeness(tests: ModuleTests, root: Path) -> None:
    """The whole list, in a test that fails. `root` is the folder of the project, with its tests in `tests`: pytest's
    `rootpath`.
    """
    if lines := missing_parts(tests, root):
        pytest.fail("\n".join(lines), pytrace=False)  # an assertion would show the first of them, cut off


def missing_parts(tests: ModuleTests, root: Path) -> list[str]:
    lines = [line for check in _CHECKS for line in check(tests)]
    return [*lines, *_start(tests), *_missing_tests(tests, root)]


def _files_below(package: str) -> list[ModuleType]:
    """All Python files of the package, or of a part of it that may not be there."""
    try:
        root = import_module(package)
    except ModuleNotFoundError:
        return []
    names = [info.name for info in pkgutil.walk_packages(getattr(root, "__path__", []), f"{package}.")]
    return [root, *map(import_module, names)]


def _defined_below(package: str, kind: type) -> Iterator[tuple[str, Any]]:
    """The values of a kind that the files of the package define (and do not import)."""
    for file in _files_below(package):
        tree = ast.parse(Path(str(file.__file__)).read_text())
        assigned = {
            target.id
            for node in tree.body
            for target in (node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)])
            if isinstance(target, ast.Name)
        }
        for name in sorted(assigned):
            if isinstance(value := getattr(file, name, None), kind):
                yield f"{file.__name__}.{name}", value


def _classes_below(package: str) -> Iterator[type]:
    for file in _files_below(package):
        for value in vars(file).values():
            if isinstance(value, type) and value.__module__ == file.__name__:
                yield value


def _protocols_of(tests: ModuleTests) -> Iterator[type]:
    for kind in _classes_below(f"{tests.package}.application"):
        if getattr(kind, "_is_protocol", False) and not kind.__name__.startswith("_"):
            yield kind


def _use_cases(tests: ModuleTests) -> Iterator[str]:
    for folder, listed in (("commands", tests.module.commands), ("queries", tests.module.queries)):
        for file in _files_below(f"{tests.package}.application.{folder}")[1:]:
            stem = file.__name__.rpartition(".")[2]
            name = "".join(word.capitalize() for word in stem.split("_"))
            use_case = getattr(file, name, None)
            if not isinstance(use_case, type) or not is_use_case(use_case):
                yield f"{folder}: {stem}.py has no use case {name}, declared with @command or @query."
            elif use_case not in listed:
                yield f"{folder}: {name} is not in the `{folder}` of module.py."
            elif (use_case.__doc__ or f"{name}(").startswith(f"{name}("):  # as dataclasses describe themselves
                yield f"{folder}: {name} has no docstring, which is its rule and its documentation."


def _actions(tests: ModuleTests) -> Iterator[str]:
    for command in tests.module.commands:
        stem = command.__module__.rpartition(".")[2]
        if Audit in get_type_hints(command).values() and getattr(command, "action", None) != stem:
            yield f'audit action: {command.__name__} records events and has no `action: ClassVar = "{stem}"`.'


def _routers(tests: ModuleTests) -> Iterator[str]:
    for name, router in _defined_below(f"{tests.package}.presentation.http", APIRouter):
        if router not in tests.module.routers:
            yield f"routers: {name} is not in the `routers` of module.py."
    for route in _api_routes(tests.module):
        if not route.description:
            yield f"OpenAPI: {route.name} has no description: neither its use case nor itself has a docstring."


def _api_routes(module: Module) -> list[APIRoute]:
    """Without pages for people, which are in no OpenAPI document, and have a matrix of their own."""
    pages = module.web_pages
    return [route for route in routes_of(module) if pages is None or not f"{route.path}/".startswith(pages.prefix)]


def _command_line(tests: ModuleTests) -> Iterator[str]:
    for file in _files_below(f"{tests.package}.presentation.cli"):
        register = vars(file).get("register")
        if register is not None and register not in tests.module.cli:
            yield f"command line: {file.__name__}.register is not in the `cli` of module.py."


def _background(tests: ModuleTests) -> Iterator[str]:
    for file in _files_below(f"{tests.package}.presentation.background"):
        for name, function in vars(file).items():
            is_own = inspect.isfunction(function) and function.__module__ == file.__name__
            if is_own and name.startswith("run_") and function not in tests.module.background:
                yield f"background: {name} is not in the `background` of module.py."


def _constraints(tests: ModuleTests) -> Iterator[str]:
    for table in tests.module.tables:
        for constraint in table.constraints:
            # Ids are generated, so nobody can be told that one is taken.
            if (
                isinstance(constraint, UniqueConstraint | ExcludeConstraint)
                and constraint.columns.keys() != ["id"]
                and constraint.name not in tests.module.constraints
            ):
                yield f"constraints: {constraint.name} has no error in the `constraints` of module.py."


def _settings(tests: ModuleTests) -> Iterator[str]:
    for section in _classes_below(f"{tests.package}.settings"):
        is_section = section.__name__.endswith("Settings") and is_dataclass(section)
        if is_section and section not in tests.module.settings.values():
            yield f"settings: {section.__name__} is not in the `settings` of module.py."


def _calls(tests: ModuleTests) -> Iterator[str]:
    declared = [str(call) for call in tests.calls]
    served = [f"{method} {route.path}" for route in _api_routes(tests.module) for method in sorted(route.methods or ())]
    for call in served:
        if declared.count(call) != 1:
            yield f"matrix: {call} is not exactly once in the `calls` of its tests."
    for call in set(declared) - set(served):
        yield f"matrix: {call} is in the `calls` of its tests, and no route."


def _fault_cases(tests: ModuleTests) -> Iterator[str]:
    covered = {case.command for case in tests.fault_cases}
    for command in tests.module.commands:
        if Transaction in get_type_hints(command).values() and command not in covered:
            yield f"fault cases: {command.__name__} has none."


def _problems(tests: ModuleTests) -> Iterator[str]:
    kinds = [
        kind for kind in _classes_below(tests.package) if issubclass(kind, GatehouseError) and "slug" in vars(kind)
    ]
    for kind in kinds:
        if kind.slug not in tests.problems:
            yield f"problems: {kind.slug} of {kind.__name__} is not in the `problems` of its tests."
    for slug in tests.problems.keys() - {kind.slug for kind in kinds}:
        yield f"problems: {slug} is in the `problems` of its tests, and no error."


def _fakes(tests: ModuleTests) -> Iterator[str]:
    app = InMemoryApp()
    ports = app.ports | set(tests.fakes(app.memory))
    for protocol in _protocols_of(tests):
        is_of_ports = protocol.__module__.endswith(".ports")
        if protocol not in ports and protocol.__name__ not in _OUTSIDE_MEMORY:
            yield f"fakes: {protocol.__name__} has none."
        if is_of_ports and protocol not in tests.ports:
            yield f"contract: {protocol.__name__} is not in the `ports` of its tests."


def _providers(tests: ModuleTests) -> Iterator[str]:
    used = {type(provider) for provider in tests.module.providers}
    for kind in _classes_below(f"{tests.package}.providers"):
        if issubclass(kind, Provider) and kind not in used:
            yield f"providers: {kind.__name__} is not in the `providers` of module.py."


def _start(tests: ModuleTests) -> Iterator[str]:
    """What the start refuses, beside the other modules under test."""
    everyone = [LoadedModule(other.package, other.module) for other in all_module_tests()]
    loaded = LoadedModule(tests.package, tests.module)
    before = list(takewhile(lambda other: other.module.name != tests.module.name, everyone))
    modules = [*before, loaded, *everyone[len(before) + 1 :]]
    try:
        if not loaded.is_own:
            load_module(tests.package)
        yield from (f"start: {mistake}" for mistake in mistakes_of(loaded, before))
    except ConfigError as error:
        yield f"start: {error}"
    yield from (f"start: {part}" for part in incomplete_parts(Modules(other.module for other in modules)))


def _missing_tests(tests: ModuleTests, root: Path) -> Iterator[str]:
    for use_case in tests.module.use_cases:
        test = f"tests/unit/test_{use_case.__module__.rpartition('.')[2]}.py"
        if not (root / test).is_file():
            yield f"unit test: there is no {test}."
    for protocol, test in tests.ports.items():
        if not (root / test).is_file():
            yield f"contract: there is no {test}, which is to hold {protocol.__name__}."


_OUTSIDE_MEMORY = {
    "Caller",  # `app.use(use_case, caller)` makes it
    "Cursors",  # for query gateways alone, whose fakes show one page
    "CurrentWritePosition",  # for databases alone
    "RunUseCase",
}
_CHECKS: tuple[_Check, ...] = (
    _use_cases,
    _actions,
    _routers,
    _command_line,
    _background,
    _constraints,
    _settings,
    _calls,
    _fault_cases,
    _problems,
    _fakes,
    _providers,
)
