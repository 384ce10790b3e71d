"""Services that are built on Gatehouse break where a public name changes: each change is meant, and announced."""

import re
from pathlib import Path

from scripts.public_names import DEPRECATED, LIST, public_names, unannounced_changes
from tests.root import ROOT

RELEASED = Path(__file__).parent / "public_names"
"""The list of each release, under its version. Before the first release there is none."""

LOCK = "gatehouse.accounts.Users.lock: async (self, username: Username) -> User | None"
WIDER_LOCK = "gatehouse.accounts.Users.lock: async (self, username: Username, *, weak: bool) -> User | None"
MANAGES = "gatehouse.accounts.manages: (role: Role, other: Role) -> bool"


def test_the_list_of_public_names_is_current() -> None:
    assert (ROOT / LIST).read_text().splitlines() == public_names(), "run .venv/bin/python -m scripts.public_names"


def test_every_change_since_the_last_release_is_announced() -> None:
    unreleased = re.split("^## ", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)[1]
    lists = sorted(RELEASED.glob("*.txt"), key=lambda file: [int(part) for part in file.stem.split(".")])
    released = lists[-1].read_text().splitlines() if lists else []

    assert unannounced_changes(released, public_names(), unreleased) == []


def test_a_changed_signature_must_be_announced() -> None:
    [line] = unannounced_changes([LOCK], [WIDER_LOCK], "- `Users.find` is new.")

    assert line == "gatehouse.accounts.Users.lock: has changed; say so in CHANGELOG.md"
    assert unannounced_changes([LOCK], [WIDER_LOCK], "- `Users.lock` takes `weak`.") == []


def test_a_removed_name_must_have_been_deprecated_and_be_announced() -> None:
    announced = "- `manages` is gone: use `ensure_manages`."

    assert unannounced_changes([MANAGES], [], announced) == [
        "gatehouse.accounts.manages: was not deprecated before it was removed"
    ]
    assert unannounced_changes([MANAGES + DEPRECATED], [], announced) == []
    assert len(unannounced_changes([MANAGES + DEPRECATED], [], "")) == 1


def test_a_new_name_needs_no_announcement() -> None:
    assert unannounced_changes([LOCK], [LOCK, MANAGES], "") == []
