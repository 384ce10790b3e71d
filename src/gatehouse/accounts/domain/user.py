"""An account and what may be done to it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from uuid import UUID

from uuid6 import uuid7

from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.username import Username


@dataclass(slots=True)
class User:
    """An account. Changes return whether anything changed, so that a repeated one is not recorded again."""

    id: UUID
    username: Username
    role: Role
    is_active: bool
    password_hash: str = field(repr=False)
    must_change_password: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def create(
        cls, username: Username, role: Role, password_hash: str, now: datetime, *, must_change_password: bool = False
    ) -> Self:
        return cls(
            id=uuid7(),
            username=username,
            role=role,
            is_active=True,
            password_hash=password_hash,
            must_change_password=must_change_password,
            created_at=now,
            updated_at=now,
        )

    def inactivate(self, now: datetime) -> bool:
        return self._set_active(now, is_active=False)

    def reactivate(self, now: datetime) -> bool:
        return self._set_active(now, is_active=True)

    def grant_admin(self, now: datetime) -> bool:
        return self._set_role(Role.ADMIN, now)

    def revoke_admin(self, now: datetime) -> bool:
        return self._set_role(Role.USER, now)

    def grant_super_admin(self, now: datetime) -> bool:
        """Also makes the account active, since no one else could ever reactivate a super admin."""
        role_changed = self._set_role(Role.SUPER_ADMIN, now)
        return self._set_active(now, is_active=True) or role_changed

    def revoke_super_admin(self, now: datetime) -> bool:
        return self._set_role(Role.USER, now)

    def change_password(self, password_hash: str, now: datetime, *, by: Self) -> None:
        """A password that someone else chose must be changed before anything else (OWASP ASVS 5.0, 6.4.1)."""
        self.password_hash = password_hash
        self.must_change_password = by.id != self.id
        self.updated_at = now

    def _set_active(self, now: datetime, *, is_active: bool) -> bool:
        if self.is_active is is_active:
            return False
        self.is_active = is_active
        self.updated_at = now
        return True

    def _set_role(self, role: Role, now: datetime) -> bool:
        if self.role is role:
            return False
        self.role = role
        self.updated_at = now
        return True
