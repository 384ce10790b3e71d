"""A logged-in browser."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self
from uuid import UUID

from uuid6 import uuid7

from gatehouse.common.domain.request_context import RequestContext

SECRET_BYTES: Final = 32
"""256 bits from the operating system's generator (OWASP ASVS 5.0, 7.2.3)."""


def new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def hash_secret(secret: str) -> bytes:
    """What is stored of a session's secret. A plain SHA-256 is enough: 256 random bits cannot be guessed."""
    return hashlib.sha256(secret.encode()).digest()


@dataclass(frozen=True, slots=True)
class SessionLifetime:
    """How long a session lives: `idle` without use, and `absolute` in all (OWASP ASVS 5.0, 7.3).

    A user has at most `max_per_user` of them; the oldest ends first.
    """

    idle: timedelta
    absolute: timedelta
    max_per_user: int


@dataclass(frozen=True, slots=True)
class Session:
    """One login. `id` names it in a list and opens nothing; only the secret behind `secret_hash` does."""

    id: UUID
    secret_hash: bytes
    user_id: UUID
    created_at: datetime
    last_seen_at: datetime
    idle_expires_at: datetime
    expires_at: datetime
    ip: str | None
    user_agent: str | None

    @classmethod
    def open(
        cls, user_id: UUID, secret: str, lifetime: SessionLifetime, context: RequestContext, now: datetime
    ) -> Self:
        expires_at = now + lifetime.absolute
        idle_expires_at = min(now + lifetime.idle, expires_at)
        return cls(
            id=uuid7(),
            secret_hash=hash_secret(secret),
            user_id=user_id,
            created_at=now,
            last_seen_at=now,
            idle_expires_at=idle_expires_at,
            expires_at=expires_at,
            ip=context.ip,
            user_agent=context.user_agent,
        )
