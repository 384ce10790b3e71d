"""What the documents name is there: paths, the names in the tour's table, and the code in the README."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from gatehouse.common.modules import Module
from tests.root import ROOT

PACKAGE = ROOT / "src/gatehouse"
TOUR = ROOT / "docs/tour.md"
README = ROOT / "README.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
DOCUMENTS = [
    README,
    CONTRIBUTING,
    TOUR,
    ROOT / "docs/testing.md",
    ROOT / "docs/security.md",
    ROOT / "docs/operations.md",
    ROOT / "docs/performance.md",
    *sorted((ROOT / "docs/operations").glob("*.md")),
    *sorted((ROOT / "docs/adr").glob("*.md")),
]
PATH = re.compile(r"(?!https?:)[\w.-]+(/[\w.-]+)*(/|\.(ini|md|py|sh|svg|toml|yaml))")
SPAN = re.compile(r"`([^`\n]+)`")
SAID_IN = re.compile(r"`([^`\n]+)`,? in\s+`([^`\n]+)`")
TREE = re.search(r"## Structure.*?```\n(.*?)```", README.read_text(), re.DOTALL)
EXAMPLES = re.findall(r"^ *```python\n(.*?)^ *```", README.read_text(), re.DOTALL | re.MULTILINE)
ROWS = [line for line in TOUR.read_text().partition("## Where is")[2].splitlines() if line.startswith("| ")][1:]


def paths_in_text(text: str) -> Iterator[str]:
    yield from (span for span in SPAN.findall(text) if PATH.fullmatch(span))


def paths_in_tree(tree: str) -> Iterator[str]:
    """A folder ends in a slash; what is in it is two blanks further in."""
    folders: list[str] = []
    for line in tree.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        folders[depth:] = [line.split()[0]]
        yield "".join(folders)


def exists(path: str) -> bool:
    """From the top, from the package, or in a module, as `domain/errors.py`."""
    return any((folder / path).exists() for folder in (ROOT, PACKAGE, *PACKAGE.iterdir()))


def claims(row: str) -> Iterator[tuple[str, str]]:
    """Each name in the row, with the file that was named last before it."""
    path = ""
    for span in SPAN.findall(row):
        if PATH.fullmatch(span):
            path = span
        else:
            yield path, span


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_every_path_that_a_document_names_exists(document: Path) -> None:
    assert [path for path in paths_in_text(document.read_text()) if not exists(path)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_every_link_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(((?!https?:|#)[^)#]+)", document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_every_path_in_the_map_of_the_tree_exists() -> None:
    assert TREE
    paths = list(paths_in_tree(TREE[1]))
    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_code_in_the_readme_is_the_code(example: str) -> None:
    assert any(textwrap.dedent(example) in path.read_text() for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_where_a_rule_is_decided_and_which_test_holds_it(row: str) -> None:
    named = list(claims(row))
    assert named
    assert [(path, name) for path, name in named if name not in (ROOT / path).read_text()] == []
    assert "`tests/" in row.split("|")[3]


@pytest.mark.parametrize(("name", "path"), SAID_IN.findall(TOUR.read_text()))
def test_what_the_tour_finds_in_a_file_is_there(name: str, path: str) -> None:
    text = (PACKAGE / path).read_text()
    assert all(part in text for part in name.lstrip("@").split("."))


def test_every_field_that_a_module_declares_is_explained() -> None:
    table = re.findall(r"^ *\| (`.*?) \|", CONTRIBUTING.read_text(), re.MULTILINE)
    explained = {name for cell in table for name in SPAN.findall(cell)}
    assert explained == {field.name for field in fields(Module)} - {"name"}


def test_the_table_and_the_examples_are_found_by_these_tests() -> None:
    assert len(ROWS) >= 12
    assert len(EXAMPLES) >= 2
