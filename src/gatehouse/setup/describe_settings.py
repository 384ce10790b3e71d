"""Settings as people read them: the values in force."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING

from gatehouse.common.settings import Settings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def describe_settings(settings: Settings, sections: Mapping[str, type["DataclassInstance"]]) -> Iterator[str]:
    """A line for each value. What has no repr is a secret and is masked."""
    for name, section in sections.items():
        values = settings[section]
        for key in fields(values):
            value = getattr(values, key.name)
            text = "(not set)" if value in (None, "", []) else value if key.repr else "********"
            yield f"{name}.{key.name} = {', '.join(text) if isinstance(text, list) else text}"
