"""What modules from outside must keep to, so that they run beside the others. Looked at when they are loaded."""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import MISSING, fields
from typing import Final, get_type_hints

import typer
from sqlalchemy import PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from typer.main import get_group

from gatehouse.common.application.metrics import Counter
from gatehouse.common.application.use_case import action_of
from gatehouse.common.domain.audit import FURTHER_ATTEMPTS
from gatehouse.common.infrastructure.metadata import metadata
from gatehouse.common.infrastructure.migration_lines import OWN
from gatehouse.common.modules import Module
from gatehouse.common.settings import ConfigError
from gatehouse.setup.check_providers import provider_mistakes
from gatehouse.setup.check_routes import (
    closed_routes,
    names_of,
    routes_of,
    routes_on_kept_paths,
    shadowed_routes,
    unreached_routes,
)
from gatehouse.setup.outside_module import LoadedModule
from gatehouse.setup.read_config import CARRIED_TYPES, is_carried

COMMANDS: Final = ("serve", "migrate", "new-migration", "status", "config")
"""Those of the command line that belong to no module."""
_PRIVILEGES: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
_WORDS: Final = re.compile("[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_KEPT: Final = (
    *(f"the command {name}" for name in COMMANDS),
    f"the name {OWN}",
    f"the audited action {FURTHER_ATTEMPTS}",
)
_OWN_METRICS: Final = ("gatehouse_", "process_")
_VERSION_TABLES: Final = "alembic_version"


def ensure_go_together(own: Iterable[LoadedModule], outside: Sequence[LoadedModule]) -> None:
    """Raises ConfigError, in one line, for the first thing that is wrong."""
    before = [*own]
    for loaded in outside:
        if [other.package for other in outside].count(loaded.package) > 1:
            raise ConfigError(f"app.modules: {loaded.package} is listed twice.")
        for mistake in mistakes_of(loaded, before):
            raise ConfigError(f"app.modules: {loaded.package}: {mistake}")
        before.append(loaded)


def mistakes_of(loaded: LoadedModule, before: Sequence[LoadedModule]) -> Iterator[str]:
    """A line for each, beside the modules before it. Raises ConfigError where its own code fails."""
    module, others = loaded.module, [(other.package, other.module) for other in before]
    with loaded.explain_errors("what it declares cannot be used"):
        yield from closed_routes(module)
        yield from routes_on_kept_paths(module)
        yield from _claimed_twice(module, others)
        yield from unreached_routes(module)
        yield from shadowed_routes(module, others)
        yield from _wrong_tables(loaded)
        yield from _forgotten_tables(loaded, before)
        yield from _wrong_constraints(module)
        yield from _wrong_sections(module)
        yield from _wrong_metrics(loaded)
        yield from provider_mistakes(module, others)


def _claimed_twice(module: Module, before: Iterable[tuple[str, Module]]) -> Iterator[str]:
    owners = dict.fromkeys(_KEPT, "Gatehouse")
    for package, other in before:
        owners |= dict.fromkeys(_claims(other), package)
    claimed = set()
    for claim in _claims(module):
        if claim in claimed:
            yield f"it has {claim} twice."
        if claim in owners:
            yield f"{claim} belongs to {owners[claim]}; choose another one."
        claimed.add(claim)


def _claims(module: Module) -> Iterator[str]:
    """What only one module may have, as people read it."""
    yield f"the name {module.name}"
    for route in routes_of(module):
        yield from (f"the route {name}" for name in names_of(route))
    for use_case in module.use_cases:
        yield f"the audited action {getattr(use_case, 'action', action_of(use_case))}"
    for command in _commands(module):
        yield f"the command {command}"
    for name, section in module.settings.items():
        yield f"the section [{name}]"
        yield f"the class of settings {section.__module__}.{section.__name__}"
    for metric in module.metrics:
        yield f"the metric {metric.name}"
    for table in module.tables:
        yield f"the table {table.name}"
    for constraint in module.constraints:
        yield f"the constraint {constraint}"


def _commands(module: Module) -> Iterable[str]:
    """By their names, which typer makes of the functions'."""
    cli = typer.Typer()
    for register in module.cli:
        register(cli, _run_nothing)
    return get_group(cli).commands


def _run_nothing[UseCase, Result](use_case: type[UseCase], call: Callable[[UseCase], Awaitable[Result]]) -> Result:
    raise NotImplementedError


def _wrong_tables(loaded: LoadedModule) -> Iterator[str]:
    module = loaded.module
    if module.tables and module.migrations is None and not loaded.is_own:
        yield 'it has tables, so it needs `migrations`, the folder that makes them, such as "acme.loans:migrations".'
    for table, privileges in module.tables.items():
        if table.metadata is not metadata:
            yield f"the table {table.name} is not in the `metadata` of gatehouse.common.infrastructure.metadata."
        if table.schema or table.name.startswith(_VERSION_TABLES):
            yield f"the table {table.fullname} must have no schema, and no name that begins with {_VERSION_TABLES}."
        if not {privilege.strip() for privilege in privileges.split(",")} <= _PRIVILEGES:
            yield f"the privileges on {table.name} must be some of {', '.join(sorted(_PRIVILEGES))}."
        for key in table.foreign_keys:
            if key.target_fullname.rpartition(".")[0] not in metadata.tables:
                yield f"the table {table.name} refers to {key.target_fullname}, which does not exist."


def _forgotten_tables(loaded: LoadedModule, before: Iterable[LoadedModule]) -> Iterator[str]:
    known = {table for other in (*before, loaded) for table in other.module.tables}
    for file in loaded.files:
        for value in vars(file).values():
            if isinstance(value, Table) and value not in known:
                known.add(value)
                yield (
                    f"the table {value.name} of {file.__name__} is not in `tables` of its MODULE, with the privileges "
                    "of the server's database role."
                )


def _wrong_constraints(module: Module) -> Iterator[str]:
    unique = {
        *(index.name for table in module.tables for index in table.indexes if index.unique),
        *(
            constraint.name
            for table in module.tables
            for constraint in table.constraints
            if isinstance(constraint, UniqueConstraint | PrimaryKeyConstraint | ExcludeConstraint)
        ),
    }
    for name in module.constraints:
        if name not in unique:
            yield f"{name}, in its `constraints`, is the name of no unique or exclusion constraint of its tables."


def _wrong_sections(module: Module) -> Iterator[str]:
    for name, section in module.settings.items():
        if not _WORDS.fullmatch(name):
            yield f"the name of the section [{name}] must be lower-case words that are joined by single _."
        hints = get_type_hints(section)
        for key in fields(section):
            if key.default is MISSING and key.default_factory is MISSING:
                yield f"{key.name} of the section [{name}] has no default."
            if not is_carried(hints[key.name]):
                yield (
                    f"{key.name} of the section [{name}] has a type that a variable or config.toml cannot carry: use "
                    f"{CARRIED_TYPES}."
                )


def _wrong_metrics(loaded: LoadedModule) -> Iterator[str]:
    for metric in loaded.module.metrics:
        if not all(map(_WORDS.fullmatch, (metric.name, *metric.labels))):
            yield f"the metric {metric.name} and its labels must be named by lower-case words, joined by single _."
        if isinstance(metric, Counter) is not metric.name.endswith("_total"):
            yield f"the metric {metric.name} must end in _total if it is a Counter, and not if it is none."
        if metric.name.startswith(_OWN_METRICS) and not loaded.is_own:
            yield f"the metric {metric.name} must begin with another word, such as the name of the module."
        if metric.series is None or any(len(labels) != len(metric.labels) for labels in metric.series):
            yield f"the metric {metric.name} must name in `series` the values of all its labels, for each series."
