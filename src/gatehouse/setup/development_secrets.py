"""Secrets for development: made once and kept beside the data, so that a restart logs nobody out."""

import secrets
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, get_type_hints

from gatehouse.common.presentation.cli.whole_file import open_whole_file
from gatehouse.common.settings import ConfigError, MadeInDevelopment

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def add_development_secrets[Section: DataclassInstance](section: Section, folder: Path) -> Section:
    """The section, with each missing secret that is marked as MadeInDevelopment."""
    hints = get_type_hints(type(section), include_extras=True)
    for key in fields(section):
        for marker in getattr(hints[key.name], "__metadata__", ()):
            if isinstance(marker, MadeInDevelopment) and not getattr(section, key.name):
                section = replace(section, **{key.name: _read_or_make(folder / marker.file)})
    return section


def _read_or_make(path: Path) -> str:
    try:
        if not path.exists():
            _make(path)
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"postgres.data_dir: {path}, a secret beside it, can be neither read nor made.") from None


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)  # whatever the umask
    # Where another process that started at the same time was faster, both use its secret.
    with suppress(FileExistsError), open_whole_file(path, replaces=False) as file:
        file.write(secrets.token_urlsafe(48).encode())
