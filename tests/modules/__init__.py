"""All modules under test: Gatehouse's own, and a sample that proves what a new one has to bring."""

from importlib import import_module

import pytest

from gatehouse.common.modules import Modules
from gatehouse.setup.modules import MODULES
from tests.modules.declaration import Call, ModuleTests
from tests.sample.module import BADGES

TESTED = Modules([*MODULES, BADGES])


def all_module_tests() -> list[ModuleTests]:
    """Of each module, from the folder of its name here."""
    return [declaration_of(module.name) for module in TESTED]


def declaration_of(name: str) -> ModuleTests:
    module = f"tests.modules.{name}.declaration"
    try:
        declaration: ModuleTests = import_module(module).TESTS
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise
        pytest.exit(f"The module {name} tells its tests nothing: add {module}, as tests.modules.badges has.", 1)
    return declaration


def all_calls() -> list[Call]:
    return [call for tests in all_module_tests() for call in tests.calls]
