"""What can be configured of accounts."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

from annotated_types import Interval, doc

from gatehouse.common.settings import (
    AppSettings,
    ConfigError,
    Environment,
    MadeInDevelopment,
    Settings,
    ensure_is_secret,
)

MIN_WORK_FACTOR: Final = 10
"""OWASP's password storage cheat sheet: bcrypt with a work factor of 10 or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    idle_minutes: Annotated[int, Interval(ge=1, le=24 * 60), doc("without use")] = 30
    absolute_hours: Annotated[int, Interval(ge=1, le=24 * 30), doc("in all: a session's absolute lifetime")] = 12
    max_per_user: Annotated[int, Interval(ge=1, le=1_000), doc("the oldest ends first")] = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtSettings:
    secret: Annotated[
        str,
        MadeInDevelopment("jwt_secret"),
        doc("32 characters or more; development makes one and keeps it beside data_dir"),
    ] = field(default="", repr=False)
    previous_secrets: Annotated[list[str], doc("still accepted, until the sessions that they signed have ended")] = (
        field(default_factory=list, repr=False)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordSettings:
    pepper: Annotated[str, MadeInDevelopment("password_pepper"), doc("32 characters or more; likewise")] = field(
        default="", repr=False
    )
    previous_peppers: Annotated[list[str], doc("still verified; a login rehashes with the present one")] = field(
        default_factory=list, repr=False
    )
    imported_pepper: Annotated[
        str, doc("of another system whose bcrypt hashes are imported with --peppered-bcrypt; keep it while any is left")
    ] = field(default="", repr=False)
    work_factor: Annotated[int, Interval(ge=4, le=20), doc("bcrypt's; 10 or more outside tests")] = 12
    min_length: Annotated[int, Interval(ge=8, le=64), doc("in characters")] = 15
    blocklist: Annotated[str, doc("a file, from here, with a refused password a line; empty: the shipped one")] = ""
    phrases: Annotated[str, doc("likewise, with a common phrase a line: refused alone or with one more word")] = ""
    breached: Annotated[str, doc("a file of SHA-1 hashes of refused passwords, sorted; empty: none")] = ""

    @property
    def peppers(self) -> list[str]:
        """The first one hashes; all of them verify."""
        return [self.pepper, *self.previous_peppers]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleSettings:
    attempts_per_account: Annotated[
        int, Interval(ge=1, le=1_000), doc("wrong passwords from one address before each next one waits longer")
    ] = 5
    attempts_per_address: Annotated[int, Interval(ge=1, le=1_000_000), doc("the same over all accounts")] = 50
    sign_ups_per_address: Annotated[int, Interval(ge=1, le=1_000_000)] = 50
    memory_minutes: Annotated[int, Interval(ge=1, le=7 * 24 * 60), doc("after which attempts are forgotten")] = 60
    longest_wait_seconds: Annotated[int, Interval(ge=1, le=24 * 60 * 60)] = 900


def ensure_safe(settings: Settings) -> None:
    app, jwt, password = settings[AppSettings], settings[JwtSettings], settings[PasswordSettings]
    for key, file in (("blocklist", password.blocklist), ("phrases", password.phrases)):
        _ensure_is_readable(f"password.{key}", settings.folder, file)
    if app.environment is not Environment.TEST and password.work_factor < MIN_WORK_FACTOR:
        raise ConfigError(f"password.work_factor: must be {MIN_WORK_FACTOR} or more outside tests.")
    secrets = [
        ("jwt.secret", jwt.secret),
        *(("jwt.previous_secrets", secret) for secret in jwt.previous_secrets),
        ("password.pepper", password.pepper),
        *(("password.previous_peppers", pepper) for pepper in password.previous_peppers),
    ]
    for key, secret in secrets:
        ensure_is_secret(key, secret, is_production=app.is_production)
    if app.is_production and jwt.secret == password.pepper:
        raise ConfigError("password.pepper: must be another secret than jwt.secret.")


def _ensure_is_readable(key: str, folder: Path, file: str) -> None:
    try:
        if file:
            (folder / file).read_text(encoding="utf-8")
    except (OSError, ValueError):  # not there, not UTF-8, or no name of a file
        raise ConfigError(f"{key}: the file it names cannot be read.") from None
