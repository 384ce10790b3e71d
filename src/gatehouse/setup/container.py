"""The container: the use cases of all modules, and an adapter behind each port."""

import inspect
from collections.abc import Iterator
from typing import get_type_hints

from dishka import AsyncContainer, DependencyKey, Provider, Scope, make_async_container
from dishka.exceptions import InvalidGraphError, NoFactoryError
from dishka.integrations.base import default_parse_dependency
from dishka.integrations.fastapi import FastapiProvider
from dishka.registry import Registry
from fastapi.routing import APIRoute

from gatehouse.common.application.metrics import NO_METRICS, Metrics
from gatehouse.common.application.use_case import is_use_case
from gatehouse.common.infrastructure.migration_lines import MigrationError
from gatehouse.common.modules import Modules
from gatehouse.common.settings import AppSettings, ConfigError, Settings
from gatehouse.setup.check_routes import routes_of


def create_container(
    settings: Settings, modules: Modules, *overrides: Provider, metrics: Metrics = NO_METRICS
) -> AsyncContainer:
    """Later providers override earlier ones: a service built on this one, or a test, brings its own parts."""
    use_cases = Provider(scope=Scope.REQUEST)
    use_cases.provide_all(*modules.use_cases)
    providers = [provider for module in modules for provider in module.providers]
    context = {Settings: settings, Modules: modules, Metrics: metrics}
    return make_async_container(use_cases, *providers, FastapiProvider(), *overrides, context=context)


def ensure_complete(settings: Settings, modules: Modules) -> None:
    """Raises ConfigError, in one line, where modules from outside lack a provider, or the line of their migrations.

    Before anything is opened or started: the container that then serves is made with the URL of a running database.
    """
    if settings[AppSettings].modules:
        for part in incomplete_parts(modules):
            raise ConfigError(f"app.modules: {part}")


def incomplete_parts(modules: Modules) -> Iterator[str]:
    """A line for each."""
    try:
        for line in modules.migration_lines:
            line.script()
        container = create_container(Settings(), modules)
    except MigrationError as error:
        yield str(error)
    except NoFactoryError as error:
        needed = f", which {_name(error.path[-1].source)} needs" if error.path else ""
        yield f"nothing provides {_name(error.requested.type_hint)}{needed}."
    except InvalidGraphError as error:
        yield " ".join(str(error).split())
    else:
        for module in modules:
            for route in routes_of(module):
                for key in _asked_by(route):
                    if not _is_provided(container.registry, key):
                        how = ": list it in `commands` or `queries`" if is_use_case(key.type_hint) else ""
                        yield f"the route {route.path} asks for {_name(key.type_hint)}, which nothing provides{how}."


def _asked_by(route: APIRoute) -> Iterator[DependencyKey]:
    # The endpoint as it was written, before dishka took its own parameters away.
    endpoint = getattr(route.endpoint, "__dishka_orig_func__", route.endpoint)
    hints = get_type_hints(endpoint, include_extras=True)
    for name, parameter in inspect.signature(endpoint).parameters.items():
        if (key := default_parse_dependency(parameter, hints.get(name))) is not None:
            yield key


def _is_provided(registry: Registry | None, key: DependencyKey) -> bool:
    while registry is not None:
        if registry.get_factory(key) is not None:
            return True
        registry = registry.child_registry
    return False


def _name(source: object) -> str:
    return getattr(source, "__qualname__", str(source))
