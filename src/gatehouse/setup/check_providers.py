"""Which module provides what. A module from outside may replace an adapter of another one, and says so."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from dishka import DependencyKey

from gatehouse.common.modules import Module

if TYPE_CHECKING:
    from dishka.dependency_source import Alias, Factory

_HOW: Final = "override=True"


def provider_mistakes(module: Module, before: Iterable[Module]) -> Iterator[str]:
    owners = {key: f"the module {other.name}" for other in before for key, _ in _provided(other)}
    for key, overrides in _provided(module):
        name = getattr(key.type_hint, "__name__", str(key.type_hint))
        if overrides and key not in owners:
            yield f"it provides {name} with {_HOW}, and no module before it provides that."
        if not overrides and key in owners:
            yield f"{owners[key]} provides {name}, too; to replace it, say {_HOW} where it is provided."
        owners.setdefault(key, "it itself")


def _provided(module: Module) -> Iterator[tuple[DependencyKey, bool]]:
    """Each with whether it is said to override another one."""
    for use_case in (*module.commands, *module.queries):
        yield DependencyKey(use_case, ""), False
    for provider in module.providers:
        sources: list[Factory | Alias] = [*provider.factories, *provider.aliases]
        for source in sources:
            yield source.provides.with_component(provider.component), source.when_override is not None
        for variable in provider.context_vars:
            yield variable.provides.with_component(provider.component), variable.override
