"""Every module is whole: what it has is declared, and what it declares is tested."""

from dataclasses import fields

import pytest

from gatehouse.common.modules import Module
from gatehouse.setup.modules import MODULES
from gatehouse.testing.completeness import check_completeness
from gatehouse.testing.declaration import ModuleTests
from gatehouse.testing.under_test import OPTION, all_module_tests, modules_under_test
from tests.root import ROOT


@pytest.mark.parametrize("tests", all_module_tests(), ids=lambda tests: tests.module.name)
def test_nothing_is_missing(tests: ModuleTests) -> None:
    check_completeness(tests, ROOT)


@pytest.mark.parametrize("name", [module.name for module in MODULES])
def test_every_module_tells_its_tests_of_itself(name: str) -> None:
    assert name in [module.name for module in modules_under_test()], f"{OPTION} in pyproject.toml does not name it"


MANY = {field.name for field in fields(Module) if field.name.endswith("s")} - {"migrations", "web_pages"}


@pytest.mark.parametrize("part", sorted(MANY))
def test_no_two_modules_bring_the_same(part: str) -> None:
    brought = [item for module in modules_under_test() for item in getattr(module, part)]

    assert len(brought) == len({id(item) if not isinstance(item, str) else item for item in brought})


def test_no_two_commands_record_the_same_action() -> None:
    actions = [
        command.action for module in modules_under_test() for command in module.commands if hasattr(command, "action")
    ]

    assert len(actions) == len(set(actions))
