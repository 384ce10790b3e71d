"""The roles, from the least to the most powerful. authorization.py says what each of them may do."""

from enum import StrEnum


class Role(StrEnum):
    USER = "user"
    ADMIN = "admin"
    SUPER_ADMIN = "super_admin"
