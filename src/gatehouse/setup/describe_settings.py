"""Settings as people read them: the values in force, and config.toml with every key and what it means."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_type_hints

from annotated_types import DocInfo

from gatehouse.common.settings import Settings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_HEAD: Final = """\
# The primary configuration. Each line in comments shows a default: take the # away to change it.
# An environment variable GATEHOUSE_<SECTION>__<KEY> overrides one value, GATEHOUSE_<SECTION>__<KEY>_FILE reads it from
# a file. Secrets belong in neither this file nor the shell's history.
"""
_COMMENT_COLUMN: Final = 40


def describe_settings(settings: Settings, sections: Mapping[str, type["DataclassInstance"]]) -> Iterator[str]:
    """A line for each value. What has no repr is a secret and is masked."""
    for name, section in sections.items():
        values = settings[section]
        for key in fields(values):
            value = getattr(values, key.name)
            text = "(not set)" if value in (None, "", []) else value if key.repr else "********"
            yield f"{name}.{key.name} = {', '.join(text) if isinstance(text, list) else text}"


def render_config_toml(sections: Mapping[str, type["DataclassInstance"]]) -> str:
    return _HEAD + "".join(f"\n[{name}]\n{''.join(_lines(section))}" for name, section in sections.items())


def _lines(section: type["DataclassInstance"]) -> Iterator[str]:
    hints = get_type_hints(section, include_extras=True)
    for key in fields(section):
        default = key.default if key.default is not MISSING else []
        line = f"# {key.name} = {_toml(default)}"
        docs = [
            marker.documentation
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
            return f'"{value}"'
        case _:
            return str(value)
