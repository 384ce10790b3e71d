"""What stands in config.toml and in the environment, before it is loaded into the sections. Mistakes are one line."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_type_hints

from gatehouse.common.settings import AppSettings, ConfigError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ENV_PREFIX: Final = "GATEHOUSE_"
CONFIG_VARIABLE: Final = f"{ENV_PREFIX}CONFIG"
"""Names another config.toml than that of the working directory."""
_MODULES_VARIABLES: Final = (f"{ENV_PREFIX}APP__MODULES", f"{ENV_PREFIX}APP__MODULES_FILE")
_ENCODING: Final = "utf-8-sig"
"""Whatever the locale. Some editors write a mark before it."""
_TYPES: Final = (str, int, bool, bool | None, list[str], Path)
CARRIED_TYPES: Final = "str, int, bool, bool | None, list[str], Path or a StrEnum"
"""Of a setting: what a variable, config.toml and `config init` can all carry."""
type Raw = dict[str, dict[str, Any]]
type Sections = Mapping[str, type[DataclassInstance]]


@dataclass(frozen=True, slots=True)
class ConfigFile:
    path: Path
    """Also where there is none."""
    exists: bool
    raw: Raw


def read_config(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> ConfigFile:
    is_named = path is not None or bool(environ.get(CONFIG_VARIABLE))
    path = config_path(environ) if path is None else absolute(path)
    exists = is_named or _exists(path)
    return ConfigFile(path, exists, _read_toml(path) if exists else {})


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Whether it is there or not."""
    return absolute(Path(environ.get(CONFIG_VARIABLE) or "config.toml"))


def named_modules(raw: Raw, environ: Mapping[str, str]) -> list[str]:
    """`[app] modules`, which must be known before anything else: these modules have sections and commands, too."""
    variables = {name: value for name, value in environ.items() if name.upper() in _MODULES_VARIABLES}
    for _, _, value in overrides({"app": AppSettings}, variables):
        raw = {"app": {"modules": value}}
    names = raw.get("app", {}).get("modules", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigError('app.modules: must be a list of names, such as ["acme.loans"].')
    return names


def absolute(path: Path) -> Path:
    try:
        return Path(os.path.abspath(path))  # noqa: PTH100  # without following links, unlike resolve()
    except OSError:
        raise ConfigError("The folder that this was started in is gone: change to another one.") from None


def _exists(path: Path) -> bool:
    """A link that leads nowhere is a mistake, not the absence of a file; so is a folder that cannot be searched."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError:
        raise ConfigError(f"{path}: cannot be read.") from None
    return True


def _read_toml(path: Path) -> Raw:
    try:
        raw = tomllib.loads(path.read_text(_ENCODING))
    except OSError:
        raise ConfigError(f"{path}: cannot be read.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}.") from None
    except (ValueError, RecursionError):  # not UTF-8, a number of thousands of digits, a thousand brackets
        raise ConfigError(f"{path}: is not valid TOML.") from None
    for section, values in raw.items():
        if not isinstance(values, dict):
            raise ConfigError(f"{section!r}: there is no such setting outside a section.")
    return raw


def overrides(sections: Sections, environ: Mapping[str, str]) -> Iterator[tuple[str, str, object]]:
    for name in sorted(environ):
        if not name.startswith(ENV_PREFIX) or "__" not in name:
            continue
        section, _, key = name.removeprefix(ENV_PREFIX).lower().partition("__")
        types = get_type_hints(sections[section]) if section in sections else {}
        if key not in types and key.removesuffix("_file") in types:
            if name.removesuffix("_FILE") in environ:
                raise ConfigError(f"{name}: {name.removesuffix('_FILE')} is set, too; which of them counts?")
            key = key.removesuffix("_file")
            yield section, key, _parse(name, _read_secret(name, environ[name]), types[key])
        elif key in types:
            yield section, key, _parse(name, environ[name], types[key])
        else:
            raise ConfigError(f"{name}: there is no such setting.")


def _read_secret(name: str, path: str) -> str:
    try:
        return Path(path).read_text(_ENCODING).strip()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{name}: the file it names cannot be read.") from None


def is_carried(hint: object) -> bool:
    """Whether it is one of CARRIED_TYPES."""
    return hint in _TYPES or (isinstance(hint, type) and issubclass(hint, StrEnum))


def _parse(name: str, text: str, expected: object) -> object:
    """The environment knows only text; TOML knows types."""
    if expected is int:
        try:
            return int(text)
        except ValueError:
            raise ConfigError(f"{name}: must be a whole number.") from None
    if expected in (bool, bool | None):
        if text.lower() not in ("true", "false"):
            raise ConfigError(f"{name}: must be true or false.")
        return text.lower() == "true"
    if expected == list[str]:
        return [part for part in re.split(r"[,\s]+", text) if part]
    return text
