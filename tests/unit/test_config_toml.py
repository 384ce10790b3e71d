"""config.toml documents all settings; their defaults are defined in the code only."""

import re
import tomllib

from gatehouse.common.settings import Settings
from gatehouse.setup.describe_settings import render_config_toml
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
