"""A line of migrations that is none is one line that says so, before any database is asked."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gatehouse.common.infrastructure.migration_lines import MigrationError, MigrationLine, line_of
from tests.outside import importable, write_package

MIGRATION = """
revision = {revision!r}
down_revision = {down!r}

def upgrade(): ...
"""


def write_line(folder: Path, *revisions: tuple[str, str | None]) -> MigrationLine:
    folder.mkdir(exist_ok=True)
    for place, (revision, down) in enumerate(revisions):
        (folder / f"{place}.py").write_text(MIGRATION.format(revision=revision, down=down))
    return line_of("loans", str(folder), {})


def test_revisions_that_follow_one_another_are_a_line(tmp_path: Path) -> None:
    line = write_line(tmp_path, ("0001", None), ("0002", "0001"), ("0004", "0002"))

    assert line.script().get_current_head() == "0004"
    assert line.version_table == "alembic_version_loans"


NO_LINES: Mapping[str, tuple[tuple[tuple[str, str | None], ...], str]] = {
    "none": (
        (),
        'loans: it has no migration yet: write the first with `gatehouse new-migration loans "create tables"`.',
    ),
    "two ends": (
        (("0001", None), ("0002", "0001"), ("0003", "0001")),
        "loans: its migrations branch: they end in 0002 and 0003; let each follow another one, in its `down_revision`.",
    ),
    "two beginnings": (
        (("0001", None), ("0002", None), ("0003", "0001")),
        "loans: its migrations branch: they ",
    ),
    "a gap": ((("0002", "0001"),), "loans: its migrations cannot be loaded: "),
    "a number twice": ((("0001", None), ("0001", None)), "loans: its migrations cannot be loaded: "),
    "a circle": ((("0001", "0002"), ("0002", "0001")), "loans: its migrations "),
    "no numbers": (
        (("ae10", None),),
        "loans: its migrations must have numbers of four digits as `revision`, each higher than the one before.",
    ),
    "falling numbers": (
        (("0002", None), ("0001", "0002")),
        "loans: its migrations must have numbers of four digits as `revision`, each higher than the one before.",
    ),
}


@pytest.mark.parametrize("mistake", NO_LINES)
def test_what_is_no_line_is_said_to_be_none(tmp_path: Path, mistake: str) -> None:
    revisions, expected = NO_LINES[mistake]
    line = write_line(tmp_path, *revisions)

    with pytest.raises(MigrationError) as caught:
        line.script()

    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_imported_is_named_with_its_line(tmp_path: Path) -> None:
    line = write_line(tmp_path, ("0001", None))
    (tmp_path / "0.py").write_text("\n\nimport nowhere\n")

    with pytest.raises(MigrationError) as caught:
        line.script()

    assert str(caught.value) == (
        f"loans: its migrations cannot be loaded: {tmp_path}/0.py, line 3: ModuleNotFoundError: "
        "No module named 'nowhere'."
    )


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("acme.loans:migrations", "loans: there is no folder acme.loans:migrations, where its migrations are to be; "),
        ("acme.nowhere:migrations", "loans: there is no package acme.nowhere, which its `migrations` names."),
    ],
)
def test_a_folder_that_is_not_there_is_said_to_be_missing(tmp_path: Path, location: str, expected: str) -> None:
    write_package(tmp_path)
    with importable(tmp_path), pytest.raises(MigrationError) as caught:
        line_of("loans", location, {}).script()

    assert str(caught.value).startswith(expected)
