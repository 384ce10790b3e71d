from typing import Final

from gatehouse.common.infrastructure.metadata import metadata
from sqlalchemy import Column, DateTime, ForeignKey, Index, Table, Text, Uuid

items: Final = Table(
    "items",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text(collation="C"), nullable=False, unique=True),
)

loans: Final = Table(
    "loans",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("item_id", Uuid, ForeignKey("items.id"), nullable=False, unique=True),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False),
    Column("lent_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Index(None, "user_id"),
    # One for each order of the list, with the id that makes it total.
    Index(None, "lent_at", "id"),
    Index(None, "due_at", "id"),
)
