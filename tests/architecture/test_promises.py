"""docs/security.md lists the promises; a test that holds one is marked with its id."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.root import ROOT

LISTED = re.findall(r"^\| ([A-Z]\d+) \|", (ROOT / "docs/security.md").read_text(), re.MULTILINE)


def marked_in(path: Path) -> Iterator[str]:
    """The ids in `pytest.mark.promise("S8")`, wherever it stands in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.promise":
            yield from (
                argument.value
                for argument in node.args
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            )


HELD = {promise for path in (ROOT / "tests").rglob("*.py") for promise in marked_in(path)}


@pytest.mark.parametrize("promise", LISTED)
def test_every_promise_is_held_by_a_test(promise: str) -> None:
    assert promise in HELD


def test_no_test_holds_a_promise_that_is_not_listed() -> None:
    assert set(LISTED) >= HELD


def test_every_promise_is_listed_once() -> None:
    assert len(LISTED) == len(set(LISTED)) > 60
