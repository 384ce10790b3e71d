"""Which module provides what. A module from outside may replace an adapter of another one, and says so."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from dishka import DependencyKey

from gatehouse.common.modules import Module

if TYPE_CHECKING:
    from dishka.dependency_source import Alias, Factory

_HOW: Final = "override=True"


def provider_mistakes(module: Module, before: Iterable[tuple[str, Module]]) -> Iterator[str]:
    """`before` with the packages of the modules."""
    owners = {key: package for package, other in before for key, _ in _provided(other)}
    yield from _foreign_decorators(module, owners)
    for key, overrides in _provided(module):
        if overrides and key not in owners:
            yield f"it provides {_name(key)} with {_HOW}, and no module before it provides that."
        if not overrides and key in owners:
            yield f"{owners[key]} provides {_name(key)}, too; to replace it, say {_HOW} where it is provided."
        owners.setdefault(key, "it itself")


def _foreign_decorators(module: Module, owners: dict[DependencyKey, str]) -> Iterator[str]:
    """A decorator cannot say `override` in dishka, and may leave what it decorates unused."""
    for provider in module.providers:
        for decorator in provider.decorators:
            for key, owner in owners.items():
                if key.component == provider.component and decorator.match_type(key.type_hint):
                    yield f"it decorates {_name(key)} of {owner}; to replace it, provide it with {_HOW}."


def _provided(module: Module) -> Iterator[tuple[DependencyKey, bool]]:
    """Each with whether it is said to override another one."""
    for use_case in module.use_cases:
        yield DependencyKey(use_case, ""), False
    for provider in module.providers:
        sources: list[Factory | Alias] = [*provider.factories, *provider.aliases]
        for source in sources:
            yield source.provides.with_component(provider.component), source.when_override is not None
        for variable in provider.context_vars:
            yield variable.provides.with_component(provider.component), variable.override


def _name(key: DependencyKey) -> str:
    return getattr(key.type_hint, "__name__", str(key.type_hint))
