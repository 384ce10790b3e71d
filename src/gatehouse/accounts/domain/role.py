"""The roles, from the least to the most powerful. authorization.py says what each of them may do."""

from enum import StrEnum


class Role(StrEnum):
    """`manages` and `ensure_at_least` compare them; the names alone have no order."""

    USER = "user"
    ADMIN = "admin"
    SUPER_ADMIN = "super_admin"
