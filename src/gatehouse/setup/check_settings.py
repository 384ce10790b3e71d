"""What no setting may be, and what production insists on."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from gatehouse.setup.config_error import ConfigError
from gatehouse.setup.settings import PROJECT_ROOT, Environment, LogLevel, Settings

MIN_SECRET_LENGTH: Final = 32
MIN_WORK_FACTOR: Final = 10
"""OWASP's password storage cheat sheet: bcrypt with a work factor of 10 or more."""
_MIN_DISTINCT_CHARACTERS: Final = 8
_PLACEHOLDER: Final = re.compile("change|secret|example|placeholder|password|pepper|default")


def ensure_safe(settings: Settings) -> None:
    environment = settings.app.environment
    for key in ("url", "owner_url", "replica_url"):
        _ensure_is_url(f"postgres.{key}", getattr(settings.postgres, key))
    _ensure_is_readable(settings.password.blocklist)
    if environment is not Environment.TEST and settings.password.work_factor < MIN_WORK_FACTOR:
        raise ConfigError(f"password.work_factor: must be {MIN_WORK_FACTOR} or more outside tests.")
    for key, secret in _secrets(settings):
        if len(secret) < MIN_SECRET_LENGTH:
            raise ConfigError(f"{key}: must be at least {MIN_SECRET_LENGTH} random characters.")
    if environment is Environment.PRODUCTION:
        _ensure_fit_for_production(settings)


def _ensure_fit_for_production(settings: Settings) -> None:
    if not settings.postgres.url:
        raise ConfigError("postgres.url: production needs a PostgreSQL of its own, not the embedded one.")
    for key, secret in _secrets(settings):
        if _looks_made_up(secret):
            raise ConfigError(f"{key}: looks like a placeholder; make one with `openssl rand -hex 32`.")
    if settings.jwt.secret == settings.password.pepper:
        raise ConfigError("password.pepper: must be another secret than jwt.secret.")
    if settings.logs.level is LogLevel.DEBUG:
        raise ConfigError("logs.level: must not be debug in production.")
    if not settings.cookie.secure:
        raise ConfigError("cookie.secure: must be true in production.")
    origin = urlsplit(settings.app.origin)
    if origin.scheme != "https" or not origin.hostname:
        raise ConfigError("app.origin: must be https:// and a host name in production.")


def _secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    yield "jwt.secret", settings.jwt.secret
    yield from (("jwt.previous_secrets", secret) for secret in settings.jwt.previous_secrets)
    yield "password.pepper", settings.password.pepper
    yield from (("password.previous_peppers", pepper) for pepper in settings.password.previous_peppers)


def _looks_made_up(secret: str) -> bool:
    """Words that stand in examples, or too few different characters to be random."""
    return len(set(secret)) < _MIN_DISTINCT_CHARACTERS or _PLACEHOLDER.search(secret.lower()) is not None


def _ensure_is_readable(blocklist: str) -> None:
    try:
        if blocklist:
            (PROJECT_ROOT / blocklist).read_text(encoding="utf-8")
    except (OSError, ValueError):  # not there, not UTF-8, or no name of a file
        raise ConfigError("password.blocklist: the file it names cannot be read.") from None


def _ensure_is_url(key: str, url: str) -> None:
    try:
        conninfo_to_dict(url)
    except ProgrammingError:
        raise ConfigError(f"{key}: is no PostgreSQL connection URL (postgresql://user:password@host/name).") from None
