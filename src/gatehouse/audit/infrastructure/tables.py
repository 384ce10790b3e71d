"""The table of the audit trail."""

from sqlalchemy import Column, DateTime, Index, PrimaryKeyConstraint, Table, Text, Uuid, text

from gatehouse.common.infrastructure.metadata import metadata

# Append-only: the server's database role may insert and read, not change or delete. The one change is made by a
# function of the owner's, erase_from_audit_events, which puts a pseudonym in the place of an erased account's name.
# Names, not ids: the record must read the same when the account is gone.
# By month: partitions.py makes and drops the partitions. A query that names no time looks into each of them.
audit_events = Table(
    "audit_events",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("actor", Text),
    Column("target", Text),
    # What was acted on, where that is no user, or not the user alone.
    Column("subject_kind", Text),
    Column("subject_id", Text),
    Column("subject_label", Text),
    Column("ip", Text),
    Column("request_id", Text),
    PrimaryKeyConstraint("at", "id"),
    Index(None, "actor", "at", "id"),
    Index(None, "target", "at", "id"),
    Index(None, "action", "at", "id"),
    Index(None, "outcome", "at", "id"),
    Index(None, "subject_id", "at", "id"),
    Index("ix_audit_events_actor_action", "actor", "action", "at", "id"),
    # Partial, since many events, and all that are only counted, have no target.
    Index("ix_audit_events_target_action", "target", "action", "at", "id", postgresql_where=text("target IS NOT NULL")),
    postgresql_partition_by="RANGE (at)",
)

# Of which account a name, for a few minutes, may still have to give way to its pseudonym: see erasures.py.
erasures = Table(
    "erasures",
    metadata,
    Column("pseudonym", Text, primary_key=True),
    Column("username", Text, nullable=False),
    Column("look_again_at", DateTime(timezone=True), nullable=False),
)
