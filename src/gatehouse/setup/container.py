"""The container: the use cases of all modules, and an adapter behind each port."""

from dishka import AsyncContainer, Provider, Scope, make_async_container
from dishka.integrations.fastapi import FastapiProvider

from gatehouse.common.modules import Modules
from gatehouse.common.settings import Settings


def create_container(settings: Settings, modules: Modules, *overrides: Provider) -> AsyncContainer:
    """Later providers override earlier ones: a service built on this one, or a test, brings its own parts."""
    use_cases = Provider(scope=Scope.REQUEST)
    for module in modules:
        use_cases.provide_all(*module.commands, *module.queries)
    providers = [provider for module in modules for provider in module.providers]
    return make_async_container(
        use_cases, *providers, FastapiProvider(), *overrides, context={Settings: settings, Modules: modules}
    )
