"""The container: the use cases of all modules, and an adapter behind each port."""

from dishka import AsyncContainer, Provider, Scope, make_async_container
from dishka.exceptions import InvalidGraphError, NoFactoryError
from dishka.integrations.fastapi import FastapiProvider

from gatehouse.common.infrastructure.migration_lines import MigrationError
from gatehouse.common.modules import Modules
from gatehouse.common.settings import AppSettings, ConfigError, Settings


def create_container(settings: Settings, modules: Modules, *overrides: Provider) -> AsyncContainer:
    """Later providers override earlier ones: a service built on this one, or a test, brings its own parts."""
    use_cases = Provider(scope=Scope.REQUEST)
    for module in modules:
        use_cases.provide_all(*module.commands, *module.queries)
    providers = [provider for module in modules for provider in module.providers]
    return make_async_container(
        use_cases, *providers, FastapiProvider(), *overrides, context={Settings: settings, Modules: modules}
    )


def ensure_complete(settings: Settings, modules: Modules) -> None:
    """Raises ConfigError, in one line, where modules from outside lack a provider, or the line of their migrations."""
    if not settings[AppSettings].modules:
        return
    try:
        for line in modules.migration_lines:
            line.script()
        create_container(settings, modules)
    except MigrationError as error:
        raise ConfigError(f"app.modules: {error}") from None
    except NoFactoryError as error:
        needed = f", which {_name(error.path[-1].source)} needs" if error.path else ""
        raise ConfigError(f"app.modules: nothing provides {_name(error.requested.type_hint)}{needed}.") from None
    except InvalidGraphError as error:
        raise ConfigError(f"app.modules: {' '.join(str(error).split())}") from None


def _name(source: object) -> str:
    return getattr(source, "__qualname__", str(source))
