"""From config.toml and the environment to typed settings. Any mistake is one line that names the key."""

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_type_hints

from adaptix import ExtraForbid, P, Provider, Retort, name_mapping, validator
from adaptix.load_error import (
    AggregateLoadError,
    BadVariantLoadError,
    ExtraFieldsLoadError,
    LoadError,
    TypeLoadError,
    UnionLoadError,
    ValidationLoadError,
)
from adaptix.struct_trail import get_trail
from annotated_types import Interval

from gatehouse.common.modules import Modules
from gatehouse.common.settings import AppSettings, ConfigError, CookieSettings, PostgresSettings, Settings
from gatehouse.setup.development_secrets import add_development_secrets

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ENV_PREFIX: Final = "GATEHOUSE_"
CONFIG_VARIABLE: Final = f"{ENV_PREFIX}CONFIG"
"""Names another config.toml than that of the working directory."""
_ENCODING: Final = "utf-8-sig"
"""Whatever the locale. Some editors write a mark before it."""
type Raw = dict[str, dict[str, Any]]
type Sections = Mapping[str, type[DataclassInstance]]


def load_settings(modules: Modules, path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    sections: Sections = modules.settings
    named = path or environ.get(CONFIG_VARIABLE)
    path = _absolute(Path(named or "config.toml"))
    exists = bool(named) or _exists(path)
    raw = _read_toml(path) if exists else {}
    for section, key, value in _overrides(sections, environ):
        raw.setdefault(section, {})[key] = value
    settings = Settings(*_load(sections, raw), folder=path.parent, file=path if exists else None)
    settings = settings.replace(_resolve_data_dir(settings[PostgresSettings], settings.folder))
    if not settings[AppSettings].is_production:
        folder = settings[PostgresSettings].data_dir.parent
        complete = [add_development_secrets(settings[section], folder) for section in sections.values()]
        settings = settings.replace(*complete)
    settings = _resolve_switches(settings)
    for module in modules:
        module.ensure_safe(settings)
    return settings


def _absolute(path: Path) -> Path:
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


def _resolve_switches(settings: Settings) -> Settings:
    """What is on or off by the environment, unless it is set, is told apart here: `config check` shows what holds."""
    app, cookie = settings[AppSettings], settings[CookieSettings]
    return settings.replace(replace(app, docs=app.serves_docs), replace(cookie, secure=settings.has_secure_cookies))


def _load(sections: Sections, raw: Raw) -> Iterator[object]:
    for name in raw:
        if name not in sections:
            raise ConfigError(f"{_escape(name)}: there is no such setting.")
    retort = _make_retort(*sections.values())
    for name, section in sections.items():
        try:
            yield retort.load(raw.get(name, {}), section)
        except LoadError as error:
            raise ConfigError(_first_line(error, (name,))) from None


@cache  # what it makes for each section costs more than all loading
def _make_retort(*sections: type) -> Retort:
    return Retort(recipe=[name_mapping(extra_in=ExtraForbid()), *_range_validators(sections)])


def _range_validators(sections: Iterable[type]) -> Iterator[Provider]:
    """From each field's annotation."""
    for section in sections:
        for key, hint in get_type_hints(section, include_extras=True).items():
            for bounds in getattr(hint, "__metadata__", ()):
                if isinstance(bounds, Interval):
                    yield validator(getattr(P[section], key), *_between(bounds.ge, bounds.le))


def _between(low: Any, high: Any) -> tuple[Callable[[Any], bool], str]:  # numbers, as the annotation has them
    return lambda value: bool(low <= value <= high), f"must be from {low} to {high}"


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


def _overrides(sections: Sections, environ: Mapping[str, str]) -> Iterator[tuple[str, str, object]]:
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


def _first_line(error: LoadError, trail: tuple[object, ...] = ()) -> str:
    trail = (*trail, *get_trail(error))
    if isinstance(error, AggregateLoadError | UnionLoadError):
        return _first_line(error.exceptions[0], trail)
    key = ".".join(str(part) for part in trail)
    match error:
        case ExtraFieldsLoadError():
            unknown = ".".join((*(str(part) for part in trail), str(min(error.fields))))
            return f"{_escape(unknown)}: there is no such setting."
        case BadVariantLoadError():
            return f"{key}: must be one of {', '.join(str(value) for value in error.allowed_values)}."
        case TypeLoadError():
            return f"{key}: has the wrong type."
        case ValidationLoadError():
            return f"{key}: {error.msg}."
        case _:
            return f"{key}: is not valid."


def _escape(name: str) -> str:
    return name.encode("unicode_escape").decode()


def _resolve_data_dir(postgres: PostgresSettings, folder: Path) -> PostgresSettings:
    """A relative data directory lies beside config.toml, wherever the command is called from."""
    data_dir = _absolute(folder / postgres.data_dir)
    if "\0" in str(data_dir) or data_dir in (folder, *folder.parents):
        raise ConfigError("postgres.data_dir: must name a folder of its own.")
    return replace(postgres, data_dir=data_dir)
