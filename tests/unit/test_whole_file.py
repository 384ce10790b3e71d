"""Files that are there whole or not at all."""

import os
from pathlib import Path

import pytest

from gatehouse.common.presentation.cli.whole_file import open_whole_file


def test_an_interrupt_at_the_moment_that_the_draft_is_made_leaves_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made, make = [], os.open

    def make_and_interrupt(path: Path, flags: int, mode: int) -> int:
        os.close(make(path, flags, mode))
        made.append(path)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", make_and_interrupt)
        with pytest.raises(KeyboardInterrupt), open_whole_file(tmp_path / "all.ndjson"):
            pass

    assert len(made) == 1
    assert list(tmp_path.iterdir()) == []
