"""All modules under test: Gatehouse's own, and a sample that proves what a new one has to bring."""

from importlib import import_module

from gatehouse.common.modules import Modules
from gatehouse.setup.modules import MODULES
from tests.modules.declaration import Call, ModuleTests
from tests.sample.module import BADGES

TESTED = Modules([*MODULES, BADGES])


def all_module_tests() -> list[ModuleTests]:
    """Of each module, from the folder of its name here."""
    return [declaration_of(module.name) for module in TESTED]


def declaration_of(name: str) -> ModuleTests:
    declaration: ModuleTests = import_module(f"tests.modules.{name}.declaration").TESTS
    return declaration


def all_calls() -> list[Call]:
    return [call for tests in all_module_tests() for call in tests.calls]
