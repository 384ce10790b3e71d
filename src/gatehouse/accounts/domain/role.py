"""The role hierarchy: who manages whom, in one table."""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    USER = "user"
    ADMIN = "admin"
    SUPER_ADMIN = "super_admin"

    def manages(self, other: "Role") -> bool:
        """Whether holders of this role administer holders of the other. Nobody manages an equal."""
        return other in MANAGED_BY[self]

    def is_at_least(self, other: "Role") -> bool:
        return self is other or self.manages(other)


MANAGED_BY: Final = {
    Role.SUPER_ADMIN: frozenset({Role.ADMIN, Role.USER}),
    Role.ADMIN: frozenset({Role.USER}),
    Role.USER: frozenset[Role](),
}
