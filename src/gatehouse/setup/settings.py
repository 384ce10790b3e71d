"""What can be configured. load_settings.py reads it, check_settings.py judges it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

PROJECT_ROOT: Final = Path(__file__).resolve().parents[3]


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"
    TEST = "test"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    CONSOLE = "console"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSettings:
    environment: Environment = Environment.DEVELOPMENT
    origin: str = ""
    hosts: list[str] = field(default_factory=list)
    docs: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UvicornSettings:
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    trusted_proxies: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresSettings:
    url: str = field(default="", repr=False)
    owner_url: str = field(default="", repr=False)
    replica_url: str = field(default="", repr=False)
    data_dir: Path = Path(".data/postgres")
    pool_size: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    idle_minutes: int = 30
    absolute_hours: int = 12
    max_per_user: int = 20

    @property
    def idle(self) -> timedelta:
        return timedelta(minutes=self.idle_minutes)

    @property
    def absolute(self) -> timedelta:
        return timedelta(hours=self.absolute_hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieSettings:
    secure: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtSettings:
    secret: str = field(default="", repr=False)
    previous_secrets: list[str] = field(default_factory=list, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordSettings:
    pepper: str = field(default="", repr=False)
    previous_peppers: list[str] = field(default_factory=list, repr=False)
    work_factor: int = 12
    min_length: int = 15
    blocklist: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleSettings:
    attempts_per_account: int = 5
    attempts_per_address: int = 50
    sign_ups_per_address: int = 50
    memory_minutes: int = 60
    longest_wait_seconds: int = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    level: LogLevel = LogLevel.INFO
    format: LogFormat = LogFormat.CONSOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    app: AppSettings = AppSettings()
    uvicorn: UvicornSettings = UvicornSettings()
    postgres: PostgresSettings = PostgresSettings()
    session: SessionSettings = SessionSettings()
    cookie: CookieSettings = CookieSettings()
    jwt: JwtSettings = JwtSettings()
    password: PasswordSettings = PasswordSettings()
    throttle: ThrottleSettings = ThrottleSettings()
    logs: LogSettings = LogSettings()

    @property
    def origin(self) -> str:
        """Where browsers reach the service: scheme, host and port."""
        return self.app.origin or f"http://{self.uvicorn.host}:{self.uvicorn.port}"

    @property
    def hosts(self) -> frozenset[str]:
        """The names that the service answers to, without ports."""
        own = urlsplit(self.origin).hostname
        local = () if self.app.environment is Environment.PRODUCTION else ("127.0.0.1", "localhost", "::1")
        return frozenset((*self.app.hosts, *local, *([own] if own else [])))

    @property
    def serves_docs(self) -> bool:
        if self.app.docs is None:
            return self.app.environment is not Environment.PRODUCTION
        return self.app.docs


def described(settings: Settings) -> Iterator[str]:
    """A line for each value. What has no repr is a secret and is masked."""
    for section in fields(settings):
        values = getattr(settings, section.name)
        for key in fields(values):
            value = getattr(values, key.name)
            shown = "(not set)" if value in (None, "", []) else value if key.repr else "********"
            yield f"{section.name}.{key.name} = {', '.join(shown) if isinstance(shown, list) else shown}"
