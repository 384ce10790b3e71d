"""docs/testing.md explains what gatehouse.testing offers, and nothing that it does not."""

import ast
import re
from dataclasses import fields
from importlib import import_module

import pytest

from gatehouse.testing import plugin
from gatehouse.testing.declaration import ModuleTests
from tests.root import ROOT

PAGE = (ROOT / "docs/testing.md").read_text()
CODE = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
FIXTURE = type(plugin.app)
BEHIND_OTHERS = {"fastapi_app", "password_hashes", "session_clock"}
"""Fixtures that the explained ones are made of."""


def first_column(heading: str) -> set[str]:
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return {name for cell in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall("`(.*?)`", cell)}


def test_every_fixture_is_explained() -> None:
    fixtures = {name for name, value in vars(plugin).items() if type(value) is FIXTURE}

    assert first_column("fixture") == fixtures - BEHIND_OTHERS


def test_every_field_of_a_declaration_is_explained() -> None:
    assert first_column("field") == {field.name for field in fields(ModuleTests)}


@pytest.mark.parametrize("code", CODE, ids=lambda code: code.splitlines()[-1].strip()[:40])
def test_what_the_examples_import_is_there(code: str) -> None:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("gatehouse."):
            assert [alias.name for alias in node.names if not hasattr(import_module(node.module), alias.name)] == []
