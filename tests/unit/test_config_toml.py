"""config.toml documents all settings; their defaults are defined in the code only."""

import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pytest
from annotated_types import doc

from gatehouse.common.settings import ConfigError, Settings
from gatehouse.setup.config_file import render_config_toml, write_config_toml
from gatehouse.setup.load_settings import load_settings
from gatehouse.setup.modules import MODULES
from tests.root import ROOT
from tests.unit.configs import Config

FILE = ROOT / "config.toml"


def test_it_is_what_the_settings_say_of_themselves() -> None:
    assert FILE.read_text() == render_config_toml(MODULES.settings), "run scripts/write_config.py"


def test_it_changes_nothing_as_it_comes() -> None:
    assert all(values == {} for values in tomllib.loads(FILE.read_text()).values())


def test_its_lines_are_valid_without_the_comment_mark_and_hold_the_defaults(config: Config) -> None:
    text = re.sub(r"^# (?=\w+ = )", "", FILE.read_text(), flags=re.MULTILINE)

    settings = config.load(re.sub(r"^data_dir.*\n", "", text, flags=re.MULTILINE))

    values = tomllib.loads(text)
    assert set(values) == set(MODULES.settings)
    defaults = Settings()
    for name, section in MODULES.settings.items():
        for key in values[name]:
            default = getattr(defaults[section], key)
            if default not in (None, "") and key != "data_dir":
                assert getattr(settings[section], key) == default, key


def test_without_a_file_there_are_the_defaults(config: Config) -> None:
    data_dir = str(config.folder / "data" / "postgres")
    settings = load_settings(environ={"GATEHOUSE_POSTGRES__DATA_DIR": data_dir})

    assert settings.origin == "http://127.0.0.1:8000"


@dataclass(frozen=True, kw_only=True)
class LoanSettings:
    """A section as any module may bring it."""

    note: Annotated[str, doc("what stands\non the slip")] = 'say "thanks"\n\\o/'
    days: list[int] = field(default_factory=lambda: [7, 14])
    rooms: list[str] = field(default_factory=lambda: ["it's", 'the "attic"'])
    folder: Path = Path("Bücher")


def test_any_section_becomes_lines_that_are_valid_and_hold_the_defaults() -> None:
    text = render_config_toml({"loans": LoanSettings})

    assert tomllib.loads(text) == {"loans": {}}
    defaults = LoanSettings()
    assert tomllib.loads(re.sub(r"^# (?=\w+ = )", "", text, flags=re.MULTILINE))["loans"] == {
        "note": defaults.note,
        "days": defaults.days,
        "rooms": defaults.rooms,
        "folder": str(defaults.folder),
    }


def test_of_two_processes_that_write_it_at_once_the_slower_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, link = tmp_path / "config.toml", os.link

    def link_after_the_faster(draft: Path, target: Path) -> None:
        assert list(tmp_path.iterdir()) == [draft]
        path.write_text("that of the faster")
        link(draft, target)

    monkeypatch.setattr(os, "link", link_after_the_faster)
    with pytest.raises(ConfigError, match="exists already"):
        write_config_toml(path, MODULES.settings)

    assert path.read_text() == "that of the faster"
    assert list(tmp_path.iterdir()) == [path]


def test_nobody_else_may_write_to_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_config_toml(tmp_path / "config.toml", MODULES.settings)
    finally:
        os.umask(before)

    assert (tmp_path / "config.toml").stat().st_mode & 0o777 == 0o644
