"""What a module declares, and what all of them declare together.

The list of Gatehouse's own stands in setup/modules.py; config.toml names those from outside. Nothing registers itself,
and nothing is searched for: a module is one plain value, made in its `module.py`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from dishka import AsyncContainer, Provider
from fastapi import APIRouter
from sqlalchemy import Connection, Table
from starlette.routing import BaseRoute

from gatehouse.common.application.metrics import Metric
from gatehouse.common.application.use_case import action_of, has_caller
from gatehouse.common.domain.audit import FURTHER_ATTEMPTS
from gatehouse.common.domain.errors import ConflictError
from gatehouse.common.infrastructure.migration_lines import OWN, MigrationLine, Report, Upkeep, line_of, own_line
from gatehouse.common.infrastructure.status import StatusLine
from gatehouse.common.presentation.cli.run_use_case import RegisterCommands
from gatehouse.common.presentation.http.web_pages import WebPages
from gatehouse.common.settings import Settings

type Background = Callable[[AsyncContainer], AbstractAsyncContextManager[None]]
"""What runs beside the requests, from start to stop."""
type Document = dict[str, Any]
"""An OpenAPI document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """What a module brings. Only its name is required."""

    name: str
    commands: tuple[type, ...] = ()
    queries: tuple[type, ...] = ()
    providers: tuple[Provider, ...] = ()
    """Which adapter stands behind which port. Commands and queries need none."""
    routers: tuple[APIRouter, ...] = ()
    web_pages: WebPages | None = None
    """Where its routes are for people in a browser."""
    switched_off: Callable[[Settings], Collection[type]] = lambda _: ()
    """The use cases to which no route leads with these settings."""
    cli: tuple[RegisterCommands, ...] = ()
    background: tuple[Background, ...] = ()
    tables: Mapping[Table, str] = MappingProxyType({})
    """Each with the privileges of the server's database role, as `SELECT, INSERT`."""
    functions: tuple[str, ...] = ()
    """Those that its migrations make in the database, and the server's database role may call."""
    migrations: str | None = None
    """Of a module from outside: the folder of the migrations that make these tables, as `acme.loans:migrations`.
    Gatehouse's own modules share one.
    """
    status: tuple[StatusLine, ...] = ()
    """What it adds to `gatehouse status`."""
    upkeep: Callable[[Settings, Connection, Report], None] | None = None
    """What `gatehouse migrate` does to these tables each time, when the migrations are done: see `Upkeep`."""
    constraints: Mapping[str, type[ConflictError]] = MappingProxyType({})
    """The name of each unique constraint, and what its violation means to a client."""
    metrics: tuple[Metric, ...] = ()
    """What it measures, beside its requests and use cases, which are measured anyway."""
    settings: Mapping[str, type] = MappingProxyType({})
    """The sections of config.toml."""
    ensure_safe: Callable[[Settings], None] = lambda _: None
    """Raises ConfigError where settings do not go together, or are not fit for production."""
    complete_openapi: Callable[[Document, Settings, "Modules"], None] = lambda *_: None
    """Adds to the document what the routes cannot say."""

    @property
    def routes(self) -> list[BaseRoute]:
        return [route for router in self.routers for route in router.routes]

    @property
    def use_cases(self) -> tuple[type, ...]:
        return (*self.commands, *self.queries)

    @property
    def audited_actions(self) -> frozenset[str]:
        """Each command that records an event names its action; a query is recorded when its caller is refused."""
        named = {command.action for command in self.commands if hasattr(command, "action")}
        return frozenset(named | {action_of(query) for query in self.queries if has_caller(query)})


class Modules:
    """All modules of a service, in an order in which each may use those before it."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self._modules = tuple(modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules)

    @property
    def tables(self) -> list[Table]:
        return [table for module in self for table in module.tables]

    @property
    def grants(self) -> dict[str, str]:
        return {name: privileges for line in self.migration_lines for name, privileges in line.grants.items()}

    @property
    def migration_lines(self) -> list[MigrationLine]:
        """In the order in which they are migrated: a module's tables may refer to those of modules before it."""
        own: dict[str, str] = {}
        own_functions: list[str] = []
        others = []
        for module in self:
            grants = {table.name: privileges for table, privileges in module.tables.items()}
            if module.migrations is None:
                own |= grants
                own_functions += module.functions
            else:
                others.append(line_of(module.name, module.migrations, grants, module.functions))
        return [own_line(own, own_functions), *others]

    @property
    def routes(self) -> list[BaseRoute]:
        return [route for module in self for route in module.routes]

    @property
    def use_cases(self) -> list[type]:
        return [use_case for module in self for use_case in module.use_cases]

    def upkeep(self, settings: Settings) -> dict[str, list[Upkeep]]:
        """By the names of the lines whose tables it is for."""
        found: dict[str, list[Upkeep]] = {}
        for module in self:
            if module.upkeep is not None:
                line = OWN if module.migrations is None else module.name
                found.setdefault(line, []).append(partial(module.upkeep, settings))
        return found

    @property
    def constraints(self) -> dict[str, type[ConflictError]]:
        return {name: error for module in self for name, error in module.constraints.items()}

    @property
    def audited_actions(self) -> frozenset[str]:
        return frozenset({FURTHER_ATTEMPTS}.union(*(module.audited_actions for module in self)))

    @property
    def settings(self) -> dict[str, type]:
        return {name: section for module in self for name, section in module.settings.items()}
