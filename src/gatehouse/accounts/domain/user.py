"""An account and what may be done to it."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self
from uuid import UUID

from uuid6 import uuid7

from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.username import Username

PSEUDONYM_MARK: Final = "~"
_PSEUDONYM: Final = re.compile(f"{PSEUDONYM_MARK}[0-9a-f]{{16}}", re.ASCII)


def is_pseudonym(name: str) -> bool:
    """Whether it stands for an erased account."""
    return _PSEUDONYM.fullmatch(name) is not None


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
    last_login_at: datetime | None = None
    """A login is no change of the account: `updated_at` stays."""

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

    @property
    def pseudonym(self) -> str:
        """What stays in the place of the name when the account is erased. It begins as no username does."""
        return f"{PSEUDONYM_MARK}{self.id.hex[-16:]}"

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

    def change_password(self, password_hash: str, now: datetime, *, by: Self | None) -> None:
        """A password that someone else chose must be changed before anything else (OWASP ASVS 5.0, 6.4.1). `by` is None
        for the operator.
        """
        self.password_hash = password_hash
        self.must_change_password = by is None or by.id != self.id
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
