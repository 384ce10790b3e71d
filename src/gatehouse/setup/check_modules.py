"""What modules from outside must keep to, so that they run beside the others. Looked at when they are loaded."""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import MISSING, fields
from itertools import product
from typing import Final, get_type_hints

import typer
from fastapi.routing import APIRoute
from sqlalchemy import PrimaryKeyConstraint, Table, UniqueConstraint
from typer.main import get_group

from gatehouse.common.application.use_case import action_of, is_use_case
from gatehouse.common.domain.audit import FURTHER_ATTEMPTS
from gatehouse.common.infrastructure.metadata import metadata
from gatehouse.common.infrastructure.migration_lines import OWN
from gatehouse.common.modules import Module, Modules
from gatehouse.common.presentation.http.access import MARKERS
from gatehouse.common.settings import ConfigError
from gatehouse.setup.check_providers import provider_mistakes
from gatehouse.setup.outside_module import OutsideModule

COMMANDS: Final = ("serve", "migrate", "new-migration", "config")
"""Those of the command line that belong to no module."""
_PRIVILEGES: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
_SECTION: Final = re.compile("[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_PARAMETER: Final = re.compile(r"{[^}:]*")
_VERSION_TABLES: Final = "alembic_version"


def ensure_go_together(own: Modules, outside: Sequence[OutsideModule]) -> None:
    """Raises ConfigError, in one line, for the first thing that is wrong."""
    kept_free = (
        *(f"the command {name}" for name in COMMANDS),
        f"the name {OWN}",
        f"the audited action {FURTHER_ATTEMPTS}",
    )
    owners = dict.fromkeys(kept_free, "Gatehouse")
    for module in own:
        owners |= dict.fromkeys(_claims(module), f"the module {module.name}")
    modules = [*own]
    for loaded in outside:
        if [other.package for other in outside].count(loaded.package) > 1:
            raise ConfigError(f"app.modules: {loaded.package} is listed twice.")
        with loaded.explain_errors("what it declares cannot be used"):
            for mistake in _all_mistakes(loaded, modules, owners):
                raise ConfigError(f"app.modules: {loaded.package}: {mistake}")
        modules.append(loaded.module)
        owners |= dict.fromkeys(_claims(loaded.module), loaded.package)


def _all_mistakes(loaded: OutsideModule, before: Sequence[Module], owners: dict[str, str]) -> Iterator[str]:
    yield from _wrong_routes(loaded.module)
    claimed = set()
    for claim in _claims(loaded.module):
        if claim in claimed:
            yield f"it has {claim} twice."
        if claim in owners:
            yield f"{claim} belongs to {owners[claim]}; choose another one."
        claimed.add(claim)
    yield from _shadowed_routes(loaded.module, before)
    yield from _unlisted_use_cases(loaded.module, before)
    yield from _wrong_tables(loaded.module)
    yield from _forgotten_tables(loaded, before)
    yield from _wrong_constraints(loaded.module)
    yield from _wrong_sections(loaded.module)
    yield from provider_mistakes(loaded.module, before)


def _claims(module: Module) -> Iterator[str]:
    """What only one module may have, as people read it."""
    yield f"the name {module.name}"
    for route in _routes(module):
        for method in _methods(route):
            yield f"the route {method} {_PARAMETER.sub('{', route.path)}"
    for use_case in (*module.commands, *module.queries):
        yield f"the audited action {getattr(use_case, 'action', action_of(use_case))}"
    for command in _commands(module):
        yield f"the command {command}"
    for name, section in module.settings.items():
        yield f"the section [{name}]"
        yield f"the class of settings {section.__module__}.{section.__name__}"
    for table in module.tables:
        yield f"the table {table.name}"
    for constraint in module.constraints:
        yield f"the constraint {constraint}"


def _routes(module: Module) -> Iterator[APIRoute]:
    return (route for router in module.routers for route in router.routes if isinstance(route, APIRoute))


def _methods(route: APIRoute) -> list[str]:
    return sorted(route.methods or ())


def _commands(module: Module) -> Iterable[str]:
    """By their names, which typer makes of the functions'."""
    cli = typer.Typer()
    for register in module.cli:
        register(cli, _run_nothing)
    return get_group(cli).commands


def _run_nothing[UseCase, Result](use_case: type[UseCase], call: Callable[[UseCase], Awaitable[Result]]) -> Result:
    raise NotImplementedError


def _wrong_routes(module: Module) -> Iterator[str]:
    for router in module.routers:
        for route in router.routes:
            if not isinstance(route, APIRoute):
                yield f"a router of it includes a {type(route).__name__}: name each router of its own in `routers`."
            elif len([marker for marker in MARKERS if marker in route.dependencies]) != 1:
                yield (
                    f"the route {', '.join(_methods(route))} {route.path} does not say who may call it: give it "
                    "exactly one of the markers in gatehouse.common.presentation.http.access, such as AUTHENTICATED."
                )


def _shadowed_routes(module: Module, before: Iterable[Module]) -> Iterator[str]:
    """Routes of later modules are tried first: `/users/{name}` would answer for `/users/grant`."""
    earlier = [(other, route) for other in before for route in _routes(other)]
    for route, (other, shadowed) in product(_routes(module), earlier):
        if {*_methods(route)} & {*_methods(shadowed)} and route.path_regex.match(shadowed.path):
            yield f"the route {route.path} would answer for {shadowed.path} of {other.name}; change its path."


def _unlisted_use_cases(module: Module, before: Iterable[Module]) -> Iterator[str]:
    listed = {use_case for other in (*before, module) for use_case in (*other.commands, *other.queries)}
    for route in _routes(module):
        # The endpoint as it was written, before dishka took its own parameters away.
        for hint in get_type_hints(getattr(route.endpoint, "__dishka_orig_func__", route.endpoint)).values():
            if is_use_case(hint) and hint not in listed:
                yield f"the route {route.path} asks for {hint.__name__}, which is in no `commands` or `queries`."


def _wrong_tables(module: Module) -> Iterator[str]:
    if module.tables and module.migrations is None:
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


def _forgotten_tables(loaded: OutsideModule, before: Iterable[Module]) -> Iterator[str]:
    declared = {table for module in (*before, loaded.module) for table in module.tables}
    for file in loaded.files:
        for value in vars(file).values():
            if isinstance(value, Table) and value not in declared:
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
            if isinstance(constraint, UniqueConstraint | PrimaryKeyConstraint)
        ),
    }
    for name in module.constraints:
        if name not in unique:
            yield f"{name}, in its `constraints`, is the name of no unique constraint of its tables."


def _wrong_sections(module: Module) -> Iterator[str]:
    for name, section in module.settings.items():
        if not _SECTION.fullmatch(name):
            yield f"the name of the section [{name}] must be lower-case words that are joined by single _."
        for key in fields(section):
            if key.default is MISSING and key.default_factory is MISSING:
                yield f"{key.name} of the section [{name}] has no default."
