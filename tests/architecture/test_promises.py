"""docs/security.md lists the promises; a test that holds one is marked with its id."""

import re

import pytest

from tests.root import ROOT

LISTED = re.findall(r"^\| ([A-Z]\d+) \|", (ROOT / "docs/security.md").read_text(), re.MULTILINE)
MARKS = re.compile(r'^[^#\n]*\bpytest\.mark\.promise\(([A-Z0-9", ]+)\)', re.MULTILINE)
HELD = {
    promise
    for path in (ROOT / "tests").rglob("*.py")
    for promises in MARKS.findall(path.read_text())
    for promise in re.findall("[A-Z][0-9]+", promises)
}


@pytest.mark.parametrize("promise", LISTED)
def test_every_promise_is_held_by_a_test(promise: str) -> None:
    assert promise in HELD


def test_no_test_holds_a_promise_that_is_not_listed() -> None:
    assert set(LISTED) >= HELD


def test_every_promise_is_listed_once() -> None:
    assert len(LISTED) == len(set(LISTED)) > 60
