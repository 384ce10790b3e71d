"""The tables of accounts. Migrations are generated from them; a test compares the two."""

from typing import Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)

from gatehouse.accounts.domain.role import Role
from gatehouse.common.infrastructure.metadata import metadata

ERASED: Final = "erased"
"""The role of what is left of an erased account: a row that holds the pseudonym in the place of the name, so that rows
of other modules still refer to something. No list and no command reads it.
"""
_ROLES = ", ".join(f"'{role}'" for role in (*Role, ERASED))
LAST_LOGIN_OR_NEVER: Final = "COALESCE(last_login_at, '-infinity'::timestamp with time zone)"
"""In the list of users: those who never logged in come before all others, and no value in its order is null."""

users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    # Collation "C" orders by bytes: the same on every machine, and one index serves order and prefix search alike.
    Column("username", Text(collation="C"), nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("must_change_password", Boolean, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("last_login_at", DateTime(timezone=True)),
    CheckConstraint("username = lower(username)", name="username_is_lower_case"),
    # One index for each order, after the columns of the filters: queries/list_users.py has a subquery for each
    # combination of role and is_active, so that each of them reads one range of the index.
    Index("ix_users_by_username", "role", "is_active", "username"),
    Index("ix_users_by_created_at", "role", "is_active", "created_at", "id"),
    Index("ix_users_by_updated_at", "role", "is_active", "updated_at", "id"),
    # A login is thereby no HOT update and writes to every index: some 0.2 ms, beside the 250 ms of a hash.
    Index("ix_users_by_last_login_at", "role", "is_active", text(LAST_LOGIN_OR_NEVER), "id"),
    Index("ix_users_by_id", "role", "is_active", "id"),
    CheckConstraint(f"role IN ({_ROLES})", name="role_is_known"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("secret_hash", LargeBinary, primary_key=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("last_seen_at", DateTime(timezone=True), nullable=False),
    Column("idle_expires_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("ip", Text),
    Column("user_agent", Text),
    Index(None, "user_id"),
    Index(None, "idle_expires_at"),
)

# How often something was attempted, and from when on it may be attempted again.
attempts = Table(
    "attempts",
    metadata,
    Column("key", Text(collation="C"), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("next_at", DateTime(timezone=True), nullable=False),
    Column("forget_at", DateTime(timezone=True), nullable=False),
    Index(None, "forget_at"),
)

# Names of erased accounts that nobody may take, and what they are cannot be told from this: see erased_names.py.
erased_names = Table(
    "erased_names",
    metadata,
    Column("name_hash", LargeBinary, primary_key=True),
)
