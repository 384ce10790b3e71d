"""From config.toml and the environment to typed settings. Any mistake is one line that names the key."""

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, get_type_hints

from adaptix import ExtraForbid, P, Retort, name_mapping, validator
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

from gatehouse.setup.check_settings import ensure_safe
from gatehouse.setup.config_error import ConfigError
from gatehouse.setup.development_secrets import with_kept_secrets
from gatehouse.setup.settings import (
    PROJECT_ROOT,
    Environment,
    PasswordSettings,
    PostgresSettings,
    SessionSettings,
    Settings,
    ThrottleSettings,
    UvicornSettings,
)

ENV_PREFIX: Final = "GATEHOUSE_"
type Raw = dict[str, dict[str, Any]]


def between(low: int, high: int) -> tuple[Callable[[int], bool], str]:
    return lambda value: low <= value <= high, f"must be from {low} to {high}"


_RETORT: Final = Retort(
    recipe=[
        name_mapping(extra_in=ExtraForbid()),
        validator(P[UvicornSettings].port, *between(0, 65_535)),
        validator(P[UvicornSettings].workers, *between(1, 128)),
        validator(P[PostgresSettings].data_dir, lambda path: path != Path(), "must name a folder of its own"),
        validator(P[PostgresSettings].pool_size, *between(1, 1_000)),
        validator(P[SessionSettings].idle_minutes, *between(1, 24 * 60)),
        validator(P[SessionSettings].absolute_hours, *between(1, 24 * 30)),
        validator(P[SessionSettings].max_per_user, *between(1, 1_000)),
        validator(P[ThrottleSettings].attempts_per_account, *between(1, 1_000)),
        validator(P[ThrottleSettings].attempts_per_address, *between(1, 1_000_000)),
        validator(P[ThrottleSettings].sign_ups_per_address, *between(1, 1_000_000)),
        validator(P[ThrottleSettings].memory_minutes, *between(1, 7 * 24 * 60)),
        validator(P[ThrottleSettings].longest_wait_seconds, *between(1, 24 * 60 * 60)),
        validator(P[PasswordSettings].work_factor, *between(4, 20)),
        validator(P[PasswordSettings].min_length, *between(8, 64)),
    ]
)


def load_settings(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    raw = _read_toml(path or PROJECT_ROOT / "config.toml")
    for section, key, value in _overrides(environ):
        raw.setdefault(section, {})[key] = value
    try:
        settings = _RETORT.load(raw, Settings)
    except LoadError as error:
        raise ConfigError(_first_line(error)) from None
    settings = replace(settings, postgres=_anchored(settings.postgres))
    if settings.app.environment is not Environment.PRODUCTION:
        settings = with_kept_secrets(settings)
    ensure_safe(settings)
    return settings


def _read_toml(path: Path) -> Raw:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
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


def _overrides(environ: Mapping[str, str]) -> Iterator[tuple[str, str, object]]:
    sections = get_type_hints(Settings)
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
        return Path(path).read_text().strip()
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
            return f"{unknown.encode('unicode_escape').decode()}: there is no such setting."
        case BadVariantLoadError():
            return f"{key}: must be one of {', '.join(str(value) for value in error.allowed_values)}."
        case TypeLoadError():
            return f"{key}: has the wrong type."
        case ValidationLoadError():
            return f"{key}: {error.msg}."
        case _:
            return f"{key}: is not valid."


def _anchored(postgres: PostgresSettings) -> PostgresSettings:
    """A relative data directory belongs to this checkout, wherever the command is called from."""
    return replace(postgres, data_dir=PROJECT_ROOT / postgres.data_dir)
