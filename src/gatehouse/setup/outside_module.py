"""Imports a module from outside, by the dotted name of its package, and looks whether it is one."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, is_dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from dishka.provider import BaseProvider
from fastapi import APIRouter
from sqlalchemy import Table

from gatehouse.common.application.metrics import Metric
from gatehouse.common.application.use_case import is_use_case
from gatehouse.common.domain.errors import ConflictError
from gatehouse.common.infrastructure.explain_error import explain_error, is_of
from gatehouse.common.infrastructure.migration_lines import OWN
from gatehouse.common.infrastructure.status import StatusLine
from gatehouse.common.modules import Module
from gatehouse.common.presentation.http.web_pages import WebPages
from gatehouse.common.settings import ConfigError

_KEY: Final = "app.modules"
_MAX_NAME: Final = 40
"""It is a part of the name of a table."""


@dataclass(frozen=True, slots=True)
class LoadedModule:
    package: str
    """Its dotted name."""
    module: Module

    @property
    def is_own(self) -> bool:
        return self.package.startswith(f"{OWN}.")

    @property
    def files(self) -> Iterator[ModuleType]:
        """All of its Python files that were imported."""
        for name, file in sys.modules.copy().items():
            if name == self.package or name.startswith(f"{self.package}."):
                yield file

    @contextmanager
    def explain_errors(self, what: str) -> Iterator[None]:
        """Of its own code, in one line."""
        try:
            yield
        except ConfigError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it raises
            raise ConfigError(f"{_KEY}: {self.package}: {what}: {_explain(error, self.package)}") from None


def load_module(package: str) -> LoadedModule:
    """Raises ConfigError."""
    if not all(part.isidentifier() for part in package.split(".")):
        raise ConfigError(f'{_KEY}: an entry is no dotted name of a package, such as "acme.loans".')
    name = f"{package}.module"
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            raise ConfigError(f"{_KEY}: {package} has no module.py, which is to make its value MODULE.") from None
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise ConfigError(f"{_KEY}: there is no package {package}: install it, or correct the name.") from None
        raise _not_importable(package, error) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever its code raises
        raise _not_importable(package, error) from None
    value = getattr(module, "MODULE", None)
    if value is None:
        raise ConfigError(f"{_KEY}: {package}: its module.py has no value MODULE.")
    if not isinstance(value, Module):
        raise ConfigError(f"{_KEY}: {package}: its MODULE is no {Module.__module__}.Module.")
    for field, (is_right, expected) in _FIELDS.items():
        if not is_right(getattr(value, field)):
            raise ConfigError(f"{_KEY}: {package}: `{field}` of its MODULE must be {expected}.")
    return LoadedModule(package, value)


def _not_importable(package: str, error: BaseException) -> ConfigError:
    return ConfigError(f"{_KEY}: {package} cannot be imported: {_explain(error, package)}")


def _explain(error: BaseException, package: str) -> str:
    return explain_error(error, is_of(package.partition(".")[0]))


def _tuple_of(is_right: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, tuple | list) and all(map(is_right, value))


def _mapping_of(is_key: Callable[[Any], bool], is_value: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, Mapping) and all(map(is_key, value)) and all(map(is_value, value.values()))


def _is_text(value: Any) -> bool:  # of a field, whatever the author has put there
    return isinstance(value, str)


def _is_conflict(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, ConflictError)


_FIELDS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "name": (
        lambda name: (
            _is_text(name) and name.isascii() and name.isidentifier() and name.islower() and len(name) <= _MAX_NAME
        ),
        f"a word of lower-case ASCII letters, digits and _, of at most {_MAX_NAME} characters",
    ),
    "commands": (_tuple_of(is_use_case), "a tuple of classes with @command or @command_in_steps"),
    "queries": (_tuple_of(is_use_case), "a tuple of classes with @query"),
    "providers": (_tuple_of(lambda provider: isinstance(provider, BaseProvider)), "a tuple of dishka's Provider()"),
    "routers": (_tuple_of(lambda router: isinstance(router, APIRouter)), "a tuple of FastAPI's APIRouter"),
    "web_pages": (lambda pages: pages is None or isinstance(pages, WebPages), "a WebPages"),
    "switched_off": (callable, "a function"),
    "cli": (_tuple_of(callable), "a tuple of functions that register commands"),
    "background": (_tuple_of(callable), "a tuple of asynchronous context managers"),
    "tables": (
        _mapping_of(lambda table: isinstance(table, Table), _is_text),
        'a dictionary of tables with privileges, such as {loans: "SELECT, INSERT"}',
    ),
    "functions": (_tuple_of(_is_text), "a tuple of names"),
    "migrations": (
        lambda location: location is None or (_is_text(location) and ":" in location),
        'a folder of a package, such as "acme.loans:migrations"',
    ),
    "status": (_tuple_of(lambda line: isinstance(line, StatusLine)), "a tuple of StatusLine"),
    "upkeep": (lambda upkeep: upkeep is None or callable(upkeep), "a function"),
    "constraints": (_mapping_of(_is_text, _is_conflict), "a dictionary of names with subclasses of ConflictError"),
    "metrics": (_tuple_of(lambda metric: isinstance(metric, Metric)), "a tuple of Counter, Gauge and Histogram"),
    "settings": (
        _mapping_of(_is_text, lambda section: isinstance(section, type) and is_dataclass(section)),
        "a dictionary of names with dataclasses",
    ),
    "ensure_safe": (callable, "a function"),
    "complete_openapi": (callable, "a function"),
}
