"""config.toml as it comes: every setting in a comment, with its default and what it means."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_type_hints

from annotated_types import DocInfo

from gatehouse.common.presentation.cli.whole_file import open_whole_file
from gatehouse.common.settings import ConfigError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_HEAD: Final = """\
# The primary configuration. Each line in comments shows a default: take the # away to change it.
# An environment variable GATEHOUSE_<SECTION>__<KEY> overrides one value, GATEHOUSE_<SECTION>__<KEY>_FILE reads it from
# a file. Secrets belong in neither this file nor the shell's history.
"""
_COMMENT_COLUMN: Final = 40


def render_config_toml(sections: Mapping[str, type["DataclassInstance"]]) -> str:
    return _HEAD + "".join(f"\n[{name}]\n{''.join(_lines(section))}" for name, section in sections.items())


def write_config_toml(path: Path, sections: Mapping[str, type["DataclassInstance"]]) -> None:
    """Leaves alone what is there."""
    try:
        with open_whole_file(path, mode=0o644, replaces=False) as file:
            file.write(render_config_toml(sections).encode())
    except FileExistsError:
        raise ConfigError(
            f"{path} exists already, and is left as it is; --config names another file to write."
        ) from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}).") from None


def _lines(section: type["DataclassInstance"]) -> Iterator[str]:
    hints = get_type_hints(section, include_extras=True)
    defaults = section()
    for key in fields(section):
        line = f"# {key.name} = {_toml(getattr(defaults, key.name))}"
        docs = [
            " ".join(marker.documentation.split())
            for marker in getattr(hints[key.name], "__metadata__", ())
            if isinstance(marker, DocInfo)
        ]
        yield f"{line:<{_COMMENT_COLUMN}}# {docs[0]}\n" if docs else f"{line}\n"


def _toml(value: object) -> str:
    match value:
        case None:
            return "true"  # a switch that is neither on nor off by default
        case bool():
            return str(value).lower()
        case str() | Path():
            return json.dumps(str(value), ensure_ascii=False)  # TOML has the same escapes
        case list():
            return f"[{', '.join(map(_toml, value))}]"
        case _:
            return str(value)
