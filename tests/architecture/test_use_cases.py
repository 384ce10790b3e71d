"""What makes a use case easy to find: one stem from its file to its class, its test and its caller."""

import ast
import importlib
from pathlib import Path

import pytest

from tests.root import ROOT

PACKAGE = ROOT / "src/gatehouse"
USE_CASES = sorted(
    path
    for folder in ("commands", "queries")
    for path in PACKAGE.glob(f"*/application/{folder}/*.py")
    if path.stem != "__init__"
)


def class_name(path: Path) -> str:
    return "".join(word.capitalize() for word in path.stem.split("_"))


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


@pytest.fixture(params=USE_CASES, ids=lambda path: path.stem)
def use_case(request: pytest.FixtureRequest) -> Path:
    path = request.param
    assert isinstance(path, Path)
    return path


def test_its_class_is_named_as_its_file(use_case: Path) -> None:
    assert hasattr(importlib.import_module(module_name(use_case)), class_name(use_case))


def test_its_docstring_states_the_rule(use_case: Path) -> None:
    found = getattr(importlib.import_module(module_name(use_case)), class_name(use_case))
    # A dataclass without a docstring is given its signature for one.
    assert found.__doc__
    assert not found.__doc__.startswith(f"{found.__name__}(")


def test_it_has_a_unit_test_of_its_name(use_case: Path) -> None:
    assert (ROOT / f"tests/unit/test_{use_case.stem}.py").is_file()


def test_a_route_or_the_command_line_calls_it(use_case: Path) -> None:
    callers = [path for path in PACKAGE.glob("*/presentation/**/*.py") if module_name(use_case) in imports_of(path)]
    assert callers


def test_it_takes_passwords_only_past_the_throttle_and_the_policy(use_case: Path) -> None:
    assert "PasswordHasher" not in use_case.read_text()


def test_it_fits_on_a_screen_or_two(use_case: Path) -> None:
    assert len(use_case.read_text().splitlines()) <= 80


def imports_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
