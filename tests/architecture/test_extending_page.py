"""docs/extending.md names files of the example, and tests that are there."""

import re
from typing import Final

from tests.architecture.test_tour import paths_in_text
from tests.root import ROOT

FILE: Final = ROOT / "docs/extending.md"
PAGE: Final = FILE.read_text()
EXAMPLE: Final = ROOT / "examples/lending"
RULES: Final = dict(re.findall(r"^\| \*(\w+)\* \| (.*) \|$", PAGE, re.MULTILINE))


def test_every_path_is_one_of_the_example() -> None:
    folders = (EXAMPLE, EXAMPLE / "src/lending/loans", ROOT)

    paths = list(paths_in_text(PAGE))
    assert len(paths) > 20
    assert [path for path in paths if not any((folder / path).exists() for folder in folders)] == []


def test_every_link_leads_somewhere() -> None:
    targets = re.findall(r"\]\(((?!https?:|#)[^)#]+)", PAGE)
    assert [target for target in targets if not (FILE.parent / target).exists()] == []


def test_every_rule_is_held_by_a_test_of_the_example() -> None:
    tests = (EXAMPLE / "tests/test_rules.py").read_text()

    named = {name for rule in RULES.values() for name in re.findall(r"`(test_\w+)`", rule)}
    assert named == set(re.findall(r"def (test_\w+)", tests))


def test_every_step_names_rules_of_the_table_alone() -> None:
    behind = re.findall(r"\*\(([^)]*)\)\*", PAGE)

    assert len(behind) > 20
    assert {word for text in behind for word in text.partition(":")[0].split(", ")} <= RULES.keys()
