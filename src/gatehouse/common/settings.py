"""Settings: what every module needs of them, and the sections that belong to no single module.

A section is a dataclass whose fields are its keys. A field's annotation says what the key means (`doc`) and which
values it may have (`Interval`); its default stands there and nowhere else. `repr=False` marks a secret, never shown.
"""

import os
import re
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from annotated_types import Interval, doc
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from typing_extensions import deprecated

from gatehouse.common.domain.web_origin import is_origin

MIN_SECRET_LENGTH: Final = 32
_MIN_DISTINCT_CHARACTERS: Final = 8
_MAPPED_BITS: Final = 96
"""Before the IPv4 address in one that is mapped to IPv6 (RFC 4291, 2.5.5.2)."""
_TRUST_NOBODY: Final = ["none"]
_PLACEHOLDER: Final = re.compile("change|secret|example|placeholder|password|pepper|default")
_HOST_NAME: Final = re.compile("[A-Za-z0-9.-]+", re.ASCII)


class ConfigError(Exception):
    """One line for the operator. It never repeats a value, which might be a secret."""


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


@dataclass(frozen=True, slots=True)
class MadeInDevelopment:
    """Marks a secret that is made once in development, and kept in the file of this name beside the data."""

    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSettings:
    environment: Annotated[Environment, doc("development, production or test")] = Environment.DEVELOPMENT
    origin: Annotated[str, doc("where browsers reach the service; empty: http:// and uvicorn's host and port")] = ""
    hosts: Annotated[list[str], doc("further host names that the service answers to; the origin's is always one")] = (
        field(default_factory=list)
    )
    docs: Annotated[bool | None, doc("deprecated: is now features.docs")] = None
    modules: Annotated[list[str], doc('modules from outside, in order: ["acme.loans"]')] = field(default_factory=list)

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    @deprecated("see features.docs")
    def serves_docs(self) -> bool:
        return not self.is_production if self.docs is None else self.docs

    @property
    def is_development(self) -> bool:
        return self.environment is Environment.DEVELOPMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class UvicornSettings:
    host: str = "127.0.0.1"
    port: Annotated[int, Interval(ge=0, le=65_535)] = 8000
    workers: Annotated[int, Interval(ge=1, le=128)] = 1
    trusted_proxies: Annotated[
        list[str], doc("addresses or networks whose X-Forwarded-For is believed; production must say, or say none")
    ] = field(default_factory=list)
    drain_seconds: Annotated[
        int, Interval(ge=0, le=600), doc("when told to stop: /readyz is 503, requests are still served")
    ] = 0
    grace_seconds: Annotated[
        int, Interval(ge=0, le=600), doc("after that, for requests in work; Docker ends all after 10")
    ] = 8

    @property
    def trusted_networks(self) -> list[IPv4Network | IPv6Network]:
        return [] if self.trusted_proxies == _TRUST_NOBODY else list(map(_trusted_network, self.trusted_proxies))

    @property
    def is_on_loopback(self) -> bool:
        return _is_this_machine(self.host)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    max_connections: Annotated[
        int,
        Interval(ge=0, le=1_000_000),
        doc("of a worker; 0: what its limit of open files leaves, at most 10 000"),
    ] = 0
    request_seconds: Annotated[int, Interval(ge=1, le=600), doc("for a request to come in complete")] = 10
    keep_alive_seconds: Annotated[
        int, Interval(ge=1, le=3_600), doc("until an idle connection is closed; a proxy must do so before")
    ] = 75
    cors_origins: Annotated[
        list[str], doc('other origins whose pages may call the API with a user\'s cookie: ["https://app.example.org"]')
    ] = field(default_factory=list)
    compression: Annotated[
        int, Interval(ge=0, le=1_000_000), doc("gzip answers of at least so many bytes; 0: none")
    ] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresSettings:
    url: Annotated[str, doc("empty: an embedded PostgreSQL under data_dir (development only)")] = field(
        default="", repr=False
    )
    owner_url: Annotated[str, doc("the role that migrates; empty: the same as url")] = field(default="", repr=False)
    replica_url: Annotated[str, doc("a streaming replica for queries; empty: they read from url, too")] = field(
        default="", repr=False
    )
    data_dir: Annotated[Path, doc("from the folder of this file")] = Path(".data/postgres")
    pool_size: Annotated[
        int, Interval(ge=1, le=1_000), doc("connections per worker; mind PostgreSQL's max_connections")
    ] = 16
    pooler: Annotated[
        bool, doc("url and replica_url lead through PgBouncer, in transaction mode; owner_url must not")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieSettings:
    secure: Annotated[
        bool | None, doc("send cookies over TLS alone, as __Host-session; unset: everywhere but in development")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    level: Annotated[LogLevel, doc("debug, info, warning or error; audit lines come at every level")] = LogLevel.INFO
    format: Annotated[LogFormat, doc("console or json")] = LogFormat.CONSOLE
    access: Annotated[bool, doc("a line for each request, at every level; none for probes")] = False


_NOT_GIVEN: Final = object()


class Settings:
    """The sections of all modules, each found by its class; one that is not given has its defaults.

    Relative paths in them are relative to `folder`, that of config.toml. `file` is None where there is none.
    """

    def __init__(self, *sections: object, folder: Path = Path(), file: Path | None = None) -> None:
        self._sections = {type(section): section for section in sections}
        self.folder = folder
        self.file = file

    def __getitem__[Section](self, kind: type[Section]) -> Section:
        section = self._sections.get(kind, _NOT_GIVEN)
        return section if isinstance(section, kind) else kind()

    def replace(self, *sections: object) -> "Settings":
        return Settings(
            *{**self._sections, **{type(section): section for section in sections}}.values(),
            folder=self.folder,
            file=self.file,
        )

    def __repr__(self) -> str:
        return f"Settings({', '.join(map(repr, self._sections.values()))})"

    @property
    def origin(self) -> str:
        """Where browsers reach the service: scheme, host and port."""
        uvicorn = self[UvicornSettings]
        host = f"[{uvicorn.host}]" if ":" in uvicorn.host else uvicorn.host
        return self[AppSettings].origin or f"http://{host}:{uvicorn.port}"

    @property
    def hosts(self) -> frozenset[str]:
        """The names that the service answers to, without ports."""
        origin_host = urlsplit(self.origin).hostname
        local = () if self[AppSettings].is_production else ("127.0.0.1", "localhost", "::1")
        return frozenset((*self[AppSettings].hosts, *local, *([origin_host] if origin_host else [])))

    @property
    def has_secure_cookies(self) -> bool:
        secure = self[CookieSettings].secure
        return self[AppSettings].environment is not Environment.DEVELOPMENT if secure is None else secure


def ensure_safe(settings: Settings) -> None:
    """Refuses values that are never valid, and those that are unsafe in production."""
    _ = settings[UvicornSettings].trusted_networks
    for key in ("url", "owner_url", "replica_url"):
        _ensure_is_url(f"postgres.{key}", getattr(settings[PostgresSettings], key))
    if settings[AppSettings].origin and not is_origin(settings[AppSettings].origin):
        raise ConfigError("app.origin: must be http:// or https:// and a host, with a port if it is another one.")
    if not all(map(_is_host, settings[AppSettings].hosts)):
        raise ConfigError("app.hosts: must be host names or addresses, without scheme and port.")
    if settings[AppSettings].is_production:
        _ensure_safe_in_production(settings)


def _ensure_safe_in_production(settings: Settings) -> None:
    postgres = settings[PostgresSettings]
    if not postgres.url:
        raise ConfigError("postgres.url: production needs a PostgreSQL of its own, not the embedded one.")
    if settings[LogSettings].level is LogLevel.DEBUG:
        raise ConfigError("logs.level: must not be debug in production.")
    if not settings.has_secure_cookies:
        raise ConfigError("cookie.secure: must be true in production.")
    if not settings[AppSettings].origin.startswith("https://"):
        raise ConfigError("app.origin: must be https:// and a host name in production.")
    if not settings[UvicornSettings].trusted_proxies:
        raise ConfigError(
            'uvicorn.trusted_proxies: production must name its proxies (10.0.0.0/8, say), or say ["none"].'
        )
    for key in ("url", "owner_url", "replica_url"):
        _ensure_says_tls(f"postgres.{key}", getattr(postgres, key))


def ensure_is_secret(key: str, secret: str, *, is_production: bool) -> None:
    """Refuses what is too short and, in production, what has too few different characters or looks like an example."""
    if len(secret) < MIN_SECRET_LENGTH:
        raise ConfigError(f"{key}: must be at least {MIN_SECRET_LENGTH} random characters.")
    looks_made_up = len(set(secret)) < _MIN_DISTINCT_CHARACTERS or _PLACEHOLDER.search(secret.lower()) is not None
    if is_production and looks_made_up:
        raise ConfigError(f"{key}: looks like a placeholder; make one with `openssl rand -hex 32`.")


def _is_host(host: str) -> bool:
    """A name or an address, which is not in brackets, unlike in a URL."""
    return _HOST_NAME.fullmatch(host) is not None or _parse_address(host) is not None


def _ensure_is_url(key: str, url: str) -> None:
    try:
        conninfo_to_dict(url)
    except ProgrammingError:
        raise ConfigError(f"{key}: is no PostgreSQL connection URL (postgresql://user:password@host/name).") from None


def _ensure_says_tls(key: str, url: str) -> None:
    """The driver's default, `prefer`, takes an unencrypted connection from whoever answers (ASVS 12.3)."""
    parts = conninfo_to_dict(url)
    hosts = str(parts.get("hostaddr") or parts.get("host") or os.environ.get("PGHOST", "")).split(",")
    is_elsewhere = "service" in parts or not all(map(_is_this_machine, hosts))
    if is_elsewhere and not parts.get("sslmode"):
        raise ConfigError(
            f"{key}: names another host without sslmode; add sslmode=verify-full, or sslmode=disable on a network "
            "that is your own."
        )


def _is_this_machine(host: str) -> bool:
    """Empty, or with one of these beginnings: a Unix socket."""
    if host in ("", "localhost") or host.startswith(("/", "@")):
        return True
    address = _parse_address(host)
    return address is not None and address.is_loopback


def _parse_address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _trusted_network(text: str) -> IPv4Network | IPv6Network:
    """Strict: an entry that is read otherwise than it was meant would let strangers choose their address."""
    try:
        network = ip_network(text)
    except ValueError:
        raise ConfigError(
            "uvicorn.trusted_proxies: an entry is neither an address nor a network whose host bits are zero."
        ) from None
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is not None and network.prefixlen >= _MAPPED_BITS:
        network = IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))
    if not network.prefixlen:
        raise ConfigError("uvicorn.trusted_proxies: an entry holds all addresses, so that anyone could forge one.")
    return network
