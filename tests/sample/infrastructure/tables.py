from typing import Final

from sqlalchemy import Column, DateTime, ForeignKey, Index, Table, Text, Uuid

from gatehouse.common.infrastructure.metadata import metadata

badges: Final = Table(
    "badges",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text(collation="C"), nullable=False, unique=True),
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("awarded_at", DateTime(timezone=True), nullable=False),
    Index(None, "awarded_at", "id"),
    Index(None, "user_id"),
)
