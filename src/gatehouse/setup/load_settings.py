"""From config.toml and the environment to typed settings. Any mistake is one line that names the key."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

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

from gatehouse.common.infrastructure.explain_error import explain_error, is_of
from gatehouse.common.modules import Module
from gatehouse.common.presentation.http.settings import FeatureSettings
from gatehouse.common.settings import AppSettings, ConfigError, CookieSettings, PostgresSettings, Settings
from gatehouse.setup.development_secrets import add_development_secrets
from gatehouse.setup.features import serves_docs
from gatehouse.setup.modules import MODULES, with_modules
from gatehouse.setup.read_config import Raw, Sections, absolute, named_modules, overrides, read_config


def load_settings(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Of Gatehouse's own modules, and of those that the settings themselves name."""
    config = read_config(path, environ)
    modules = with_modules(named_modules(config.raw, environ))
    sections: Sections = modules.settings
    raw, folder = config.raw, config.path.parent
    for section, key, value in overrides(sections, environ):
        raw.setdefault(section, {})[key] = value
    settings = Settings(*_load(sections, raw), folder=folder, file=config.path if config.exists else None)
    settings = settings.replace(_resolve_data_dir(settings[PostgresSettings], settings.folder))
    if not settings[AppSettings].is_production:
        folder = settings[PostgresSettings].data_dir.parent
        complete = [add_development_secrets(settings[section], folder) for section in sections.values()]
        settings = settings.replace(*complete)
    settings = _resolve_switches(settings)
    for module in modules:
        _ensure_safe(module, settings)
    return settings


def _ensure_safe(module: Module, settings: Settings) -> None:
    try:
        module.ensure_safe(settings)
    except ConfigError:
        raise
    except Exception as error:
        if module in [*MODULES]:
            raise
        package = module.ensure_safe.__module__.partition(".")[0]
        reason = explain_error(error, is_of(package), with_message=False)
        raise ConfigError(f"app.modules: {module.name}: its settings cannot be checked: {reason}") from None


def _resolve_switches(settings: Settings) -> Settings:
    """What is on or off by the environment, unless it is set, is told apart here: `config check` shows what holds."""
    features, cookie = settings[FeatureSettings], settings[CookieSettings]
    return settings.replace(
        replace(features, docs=serves_docs(settings)), replace(cookie, secure=settings.has_secure_cookies)
    )


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
    data_dir = absolute(folder / postgres.data_dir)
    if "\0" in str(data_dir) or data_dir in (folder, *folder.parents):
        raise ConfigError("postgres.data_dir: must name a folder of its own.")
    return replace(postgres, data_dir=data_dir)
