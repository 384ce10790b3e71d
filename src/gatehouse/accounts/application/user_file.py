"""Accounts as rows of a file: what an export writes, and what an import takes."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from gatehouse.accounts.application.ports import ImportedHashes
from gatehouse.accounts.domain.authorization import manages
from gatehouse.accounts.domain.password import NO_PASSWORD
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User, is_pseudonym
from gatehouse.accounts.domain.username import Username
from gatehouse.common.domain.errors import InvalidError


class FileFormat(StrEnum):
    NDJSON = "ndjson"
    """A JSON object a line."""
    CSV = "csv"
    """RFC 4180, in UTF-8, with a header."""


FIELDS: Final = (
    "id",
    "username",
    "role",
    "is_active",
    "must_change_password",
    "created_at",
    "updated_at",
    "last_login_at",
    "password_hash",
)
"""Of these only the username is required."""


@dataclass(frozen=True, slots=True)
class ImportRules:
    """What an operator allows of a file, which strangers may have written to."""

    highest_role: Role = Role.USER
    allows_reserved: bool = False
    """Names such as `admin`, for which nobody signs up."""
    has_peppered_bcrypt: bool = False
    """Its bare bcrypt hashes are over an HMAC with `password.imported_pepper`."""


def read_user(fields: Mapping[str, object], rules: ImportRules, hashes: ImportedHashes, now: datetime) -> User:
    """Raises InvalidError, whose message repeats no value."""
    if not fields.keys() <= _KNOWN:
        raise InvalidError("fields", f"Must be some of {', '.join(FIELDS)}.")
    username = _read_username(fields, rules)
    created_at = _time(fields, "created_at") or now
    password_hash = _text(fields, "password_hash")
    return User(
        id=_read_id(fields) or _derive_id(fields, username),
        username=username,
        role=_read_role(fields, rules),
        is_active=_flag(fields, "is_active", default=True),
        password_hash=NO_PASSWORD
        if password_hash is None
        else hashes.to_stored(password_hash, is_peppered=rules.has_peppered_bcrypt),
        must_change_password=_flag(fields, "must_change_password", default=False),
        created_at=created_at,
        updated_at=_time(fields, "updated_at") or created_at,
        last_login_at=_time(fields, "last_login_at"),
    )


_KNOWN: Final = frozenset(FIELDS)


def _read_username(fields: Mapping[str, object], rules: ImportRules) -> Username:
    text = _text(fields, "username")
    if text is None:
        raise InvalidError("username", "Is missing.")
    if is_pseudonym(text):
        raise InvalidError("username", "Stands for an erased account.")
    username = Username(text)
    if username.is_reserved and not rules.allows_reserved:
        raise InvalidError("username", "Is reserved; --allow-reserved lets such names in.")
    return username


def _read_role(fields: Mapping[str, object], rules: ImportRules) -> Role:
    text = _text(fields, "role")
    try:
        role = Role.USER if text is None else Role(text)
    except ValueError:
        raise InvalidError("role", f"Must be one of {', '.join(Role)}.") from None
    if manages(role, rules.highest_role):
        raise InvalidError("role", f"Is above {rules.highest_role}; --highest-role allows more.")
    return role


def _read_id(fields: Mapping[str, object]) -> UUID | None:
    text = _text(fields, "id")
    try:
        return None if text is None else UUID(text)
    except ValueError:
        raise InvalidError("id", "Must be a UUID.") from None


def _derive_id(fields: Mapping[str, object], username: Username) -> UUID:
    """From all that the row says, so that the same row is the same account when the import is run again.

    A UUID of version 8, whose bits are the application's own (RFC 9562, 5.8). Nothing of the hash can be learned from
    it, since all of them are salted.
    """
    given = {field: value for field, value in fields.items() if value is not None}
    content = json.dumps({**given, "username": username.value}, sort_keys=True).encode()
    number = int.from_bytes(hashlib.sha256(content).digest()[:16])
    number = number & ~(0xF << 76) & ~(0x3 << 62) | 8 << 76 | 2 << 62
    return UUID(int=number)


def _text(fields: Mapping[str, object], field: str) -> str | None:
    value = fields.get(field)
    if value is None or isinstance(value, str):
        return value
    raise InvalidError(field, "Must be text.")


def _flag(fields: Mapping[str, object], field: str, *, default: bool) -> bool:
    value = fields.get(field)
    if value is None:
        return default
    if isinstance(value, bool):
        return value
    raise InvalidError(field, "Must be true or false.")


def _time(fields: Mapping[str, object], field: str) -> datetime | None:
    text = _text(fields, field)
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None:
            return time if time.tzinfo is UTC else time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InvalidError(field, "Must be a time with its time zone, as 2026-01-31T18:30:00Z.")
