"""From config.toml and the environment to typed settings. Any mistake is one line that names the key."""

import os
import secrets
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
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from app.setup.settings import (
    PROJECT_ROOT,
    Environment,
    PasswordSettings,
    PostgresSettings,
    SessionSettings,
    Settings,
    UvicornSettings,
)

ENV_PREFIX: Final = "GATEHOUSE_"
MIN_SECRET_LENGTH: Final = 32
MIN_WORK_FACTOR: Final = 10
"""OWASP's password storage cheat sheet: bcrypt with a work factor of 10 or more."""

type Raw = dict[str, dict[str, Any]]


class ConfigError(Exception):
    """One line for the operator. It never repeats a value, which might be a secret."""


def between(low: int, high: int) -> tuple[Callable[[int], bool], str]:
    return lambda value: low <= value <= high, f"must be from {low} to {high}"


_RETORT: Final = Retort(
    recipe=[
        name_mapping(extra_in=ExtraForbid()),
        validator(P[UvicornSettings].port, *between(0, 65_535)),
        validator(P[UvicornSettings].workers, *between(1, 128)),
        validator(P[PostgresSettings].pool_size, *between(1, 1_000)),
        validator(P[SessionSettings].idle_minutes, *between(1, 24 * 60)),
        validator(P[SessionSettings].absolute_hours, *between(1, 24 * 30)),
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
        settings = _with_kept_secrets(settings)
    _ensure_safe(settings)
    return settings


def _read_toml(path: Path) -> Raw:
    try:
        return tomllib.loads(path.read_text())
    except OSError:
        raise ConfigError(f"{path}: cannot be read.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}.") from None


def _overrides(environ: Mapping[str, str]) -> Iterator[tuple[str, str, object]]:
    sections = get_type_hints(Settings)
    for name in sorted(environ):
        if not name.startswith(ENV_PREFIX) or "__" not in name:
            continue
        section, _, key = name.removeprefix(ENV_PREFIX).lower().partition("__")
        types = get_type_hints(sections[section]) if section in sections else {}
        if key not in types and key.removesuffix("_file") in types:
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
    return text


def _first_line(error: LoadError, trail: tuple[object, ...] = ()) -> str:
    trail = (*trail, *get_trail(error))
    if isinstance(error, AggregateLoadError | UnionLoadError):
        return _first_line(error.exceptions[0], trail)
    key = ".".join(str(part) for part in trail)
    match error:
        case ExtraFieldsLoadError():
            unknown = ".".join((*(str(part) for part in trail), str(min(error.fields))))
            return f"{unknown}: there is no such setting."
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


def _with_kept_secrets(settings: Settings) -> Settings:
    """Missing secrets are made once and kept beside the data, so that a restart logs nobody out."""
    folder = settings.postgres.data_dir.parent
    if not settings.jwt.secret:
        settings = replace(settings, jwt=replace(settings.jwt, secret=_kept_secret(folder / "jwt_secret")))
    if not settings.password.pepper:
        pepper = _kept_secret(folder / "password_pepper")
        settings = replace(settings, password=replace(settings.password, pepper=pepper))
    return settings


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Exclusive creation: of two processes that start at once, one makes the secret and the other reads it.
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text()


def _ensure_safe(settings: Settings) -> None:
    _ensure_is_url("postgres.url", settings.postgres.url)
    environment = settings.app.environment
    if environment is not Environment.TEST and settings.password.work_factor < MIN_WORK_FACTOR:
        raise ConfigError(f"password.work_factor: must be {MIN_WORK_FACTOR} or more outside tests.")
    for key, secret in (("jwt.secret", settings.jwt.secret), ("password.pepper", settings.password.pepper)):
        if len(secret) < MIN_SECRET_LENGTH:
            raise ConfigError(f"{key}: must be at least {MIN_SECRET_LENGTH} random characters.")
    if environment is Environment.PRODUCTION:
        if not settings.postgres.url:
            raise ConfigError("postgres.url: production needs a PostgreSQL of its own, not the embedded one.")
        if not settings.cookie.secure:
            raise ConfigError("cookie.secure: must be true in production.")
        if not settings.app.origin.startswith("https://"):
            raise ConfigError("app.origin: must begin with https:// in production.")


def _ensure_is_url(key: str, url: str) -> None:
    try:
        conninfo_to_dict(url)
    except ProgrammingError:
        raise ConfigError(f"{key}: is no PostgreSQL connection URL (postgresql://user:password@host/name).") from None
