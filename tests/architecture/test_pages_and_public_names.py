"""What the pages for authors of modules name of Gatehouse is in the list of public names."""

import ast
import re
from collections.abc import Iterator

import pytest

import gatehouse.accounts
from gatehouse.testing.private_imports import PUBLIC
from tests.root import ROOT

LISTED = {re.split(r"[:\[ ]", line)[0] for line in (ROOT / "docs/public-names.txt").read_text().splitlines()}
PAGES = {name: (ROOT / "docs" / name).read_text() for name in ("testing.md", "modules.md", "extending.md")}
BACKTICKED = re.compile("`([^`\n]+)`")


def is_public(name: str) -> bool:
    """Also a public module, and a package with public modules in it."""
    return name in LISTED or any(f"{module}.".startswith(f"{name}.") for module in PUBLIC)


def imports_in(page: str) -> Iterator[str]:
    for code in re.findall(r"^ *```python\n(.*?)^ *```", page, re.DOTALL | re.MULTILINE):
        for line in re.findall(r"^ *(from gatehouse.*)", code, re.MULTILINE):
            for node in ast.parse(line).body:
                if isinstance(node, ast.ImportFrom):
                    yield from (f"{node.module}.{alias.name}" for alias in node.names)


def names_beside_files_in(page: str) -> Iterator[str]:
    """Of "`race` in `testing/races.py`" and the like, the full name; of a file alone, its module."""
    for item in re.split(r"\n\n|\n- ", page):
        before: list[str] = []
        for text in BACKTICKED.findall(item):
            if text.startswith("testing/"):
                module = f"gatehouse.{text.removesuffix('.py').strip('/').replace('/', '.')}"
                yield from (f"{module}.{name}" for name in before)
                yield module
                before = []
            elif text.isidentifier():
                before.append(text)


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_is_public(page: str) -> None:
    text = PAGES[page]
    dotted = re.findall(r"\bgatehouse(?:\.\w+)+", text)

    named = {*dotted, *imports_in(text), *names_beside_files_in(text)}
    assert {name for name in named if not is_public(name)} == set()


def test_the_page_of_the_helpers_names_some_in_each_of_these_ways() -> None:
    page = PAGES["testing.md"]

    assert "gatehouse.testing.plugin" in page
    assert "gatehouse.testing.races.race" in {*imports_in(page)}
    assert "gatehouse.testing.trail.trail" in {*names_beside_files_in(page)}


def test_accounts_explain_each_of_their_public_names_and_no_other() -> None:
    named = {name for name in BACKTICKED.findall(str(gatehouse.accounts.__doc__)) if not name.startswith("users.")}

    assert {name for name in named if f"gatehouse.accounts.{name}" not in LISTED} == set()
    assert {name for name in named if "." not in name} == {*gatehouse.accounts.__all__}
