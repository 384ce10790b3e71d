"""The list of modules. Each may use those before it, by the names in their `__init__.py`."""

from collections.abc import Sequence
from typing import Final

from gatehouse.accounts.module import ACCOUNTS
from gatehouse.audit.module import AUDIT
from gatehouse.common.module import COMMON
from gatehouse.common.modules import Modules
from gatehouse.common.presentation.http.settings import FeatureSettings
from gatehouse.common.settings import AppSettings, Settings
from gatehouse.console.module import CONSOLE
from gatehouse.setup.check_modules import ensure_go_together
from gatehouse.setup.outside_module import LoadedModule, load_module

MODULES: Final = Modules([COMMON, ACCOUNTS, AUDIT, CONSOLE])
"""Gatehouse's own."""


def with_modules(packages: Sequence[str]) -> Modules:
    """Gatehouse's own modules, and behind them those from outside, by the dotted names of their packages.

    Raises ConfigError, in one line, for what is wrong with one of them.
    """
    if not packages:
        return MODULES
    outside = [load_module(package) for package in packages]
    ensure_go_together([LoadedModule(f"gatehouse.{module.name}", module) for module in MODULES], outside)
    return Modules([*MODULES, *(loaded.module for loaded in outside)])


def modules_of(settings: Settings) -> Modules:
    modules = with_modules(settings[AppSettings].modules)
    if settings[FeatureSettings].console:
        return modules
    return Modules(module for module in modules if module.name != "console")
