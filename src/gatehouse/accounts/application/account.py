"""What is published of an account: an allow-list, so that a new column is never published by accident."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User


@dataclass(frozen=True, slots=True)
class Account:
    """Its fields are those of the JSON in the API."""

    id: UUID
    username: str
    role: Role
    is_active: bool
    created_at: datetime
    updated_at: datetime
    last_login_at: datetime | None = None
    """Null before the first login."""

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(
            user.id,
            user.username.value,
            user.role,
            user.is_active,
            user.created_at,
            user.updated_at,
            user.last_login_at,
        )
