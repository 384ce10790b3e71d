"""A setting is of a type that config.toml, a variable and `config init` can all carry, or is refused."""

import re
from pathlib import Path
from typing import get_type_hints

import pytest

from gatehouse.common.settings import ConfigError, Settings
from gatehouse.setup.config_file import render_config_toml
from gatehouse.setup.modules import MODULES, with_modules
from gatehouse.setup.read_config import is_carried
from tests.outside import importable, write_package
from tests.unit.configs import Config

HEAD = """
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

from annotated_types import doc
from gatehouse.common.modules import Module

class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"

class Number(Enum):
    ONE = 1

@dataclass(frozen=True)
class Hours:
    opens: int = 9

@dataclass(frozen=True, kw_only=True)
class LoanSettings:
    key: {key}

MODULE = Module(name="loans", settings={{"loans": LoanSettings}})
"""
REFUSAL = (
    "app.modules: acme.loans: key of the section [loans] has a type that a variable or config.toml cannot carry: "
    "use str, int, bool, bool | None, list[str], Path or a StrEnum."
)


def write_module(folder: Path, key: str) -> None:
    write_package(folder, module=HEAD.format(key=key))


@pytest.mark.parametrize(
    "key",
    [
        "Hours = Hours()",
        "dict[str, int] = field(default_factory=dict)",
        "int | str = 3",
        "int | None = None",
        "str | None = None",
        "list[int] = field(default_factory=list)",
        "float = 0.5",
        "Number = Number.ONE",
        "Any = None",
        "Annotated[Hours, doc('when it is open')] = Hours()",
    ],
)
def test_another_type_is_refused_with_section_and_key(tmp_path: Path, key: str) -> None:
    write_module(tmp_path, key)

    with importable(tmp_path), pytest.raises(ConfigError) as refusal:
        with_modules(["acme.loans"])

    assert str(refusal.value) == REFUSAL


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("str = 'a \"slip\"'", "two words", "two words"),
        ("int = 3", "5", 5),
        ("bool = False", "true", True),
        ("bool | None = True", "false", False),
        ("Optional[bool] = True", "false", False),
        ("list[str] = field(default_factory=lambda: ['a', 'b'])", "c,d", ["c", "d"]),
        ("Path = Path('Bücher')", "shelf", Path("shelf")),
        ("Colour = Colour.RED", "blue", "blue"),
        ("Annotated[int, doc('items')] = 3", "5", 5),
    ],
)
def test_what_is_not_refused_is_carried_by_all_of_them(
    tmp_path: Path, config: Config, key: str, text: str, value: object
) -> None:
    write_module(tmp_path, key)
    modules = '[app]\nmodules = ["acme.loans"]\n'

    with importable(tmp_path):
        [*_, loans] = with_modules(["acme.loans"])
        section: type = loans.settings["loans"]
        written = re.sub(r"^# (?=\w+ = )", "", render_config_toml(loans.settings), flags=re.MULTILINE)

        assert config.load(modules, GATEHOUSE_LOANS__KEY=text)[section] == section(key=value)
        assert config.load(modules + written)[section] == Settings()[section]


def test_gatehouse_s_own_settings_are_of_these_types() -> None:
    for name, section in MODULES.settings.items():
        assert [key for key, hint in get_type_hints(section).items() if not is_carried(hint)] == [], name
