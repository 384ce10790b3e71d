"""partition audit events by month"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from gatehouse.common.infrastructure.migration_lines import MigrationError
from gatehouse.migrations.concurrently import create_index, outside_of_transactions

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

HAS_TARGET = sa.text("target IS NOT NULL")
REQUIRED: dict[str, sa.types.TypeEngine[Any]] = {
    "id": sa.Uuid(),
    "at": sa.DateTime(timezone=True),
    "action": sa.Text(),
    "outcome": sa.Text(),
}
OPTIONAL = ("actor", "target", "ip", "request_id", "subject_kind", "subject_id", "subject_label")
CHECK = "ck_audit_events_until_"
LIKE_CHECK = f"AND conname LIKE '{CHECK}%'"
INDEXES = {
    "actor": ["actor", "at", "id"],
    "target": ["target", "at", "id"],
    "action": ["action", "at", "id"],
    "outcome": ["outcome", "at", "id"],
    "subject_id": ["subject_id", "at", "id"],
    "actor_action": ["actor", "action", "at", "id"],
    "target_action": ["target", "action", "at", "id"],
}


def upgrade() -> None:
    """The table becomes the first partition. What reads or writes all rows is done before, while others write; the last
    transaction, which locks the table, only renames and attaches.
    """
    _ensure_no_end_of_time()
    create_index("ix_audit_events_outcome", "audit_events", INDEXES["outcome"])
    create_index("ix_audit_events_at_unique", "audit_events", ["at", "id"], unique=True)
    until = _ensure_checked()

    grants = _grants()
    op.rename_table("audit_events", "audit_events_first")
    op.drop_constraint("pk_audit_events", "audit_events_first")
    op.drop_index("ix_audit_events_at", "audit_events_first")
    op.execute(
        "ALTER TABLE audit_events_first ADD CONSTRAINT pk_audit_events_first PRIMARY KEY "
        "USING INDEX ix_audit_events_at_unique"
    )
    for name in INDEXES:
        op.execute(f"ALTER INDEX ix_audit_events_{name} RENAME TO ix_audit_events_first_{name}")
    _create_table("audit_events", "at", "id", partition_by="RANGE (at)")
    op.execute(
        f"ALTER TABLE audit_events ATTACH PARTITION audit_events_first FOR VALUES FROM (MINVALUE) TO ('{until}')"
    )
    op.drop_constraint(_check_of(until), "audit_events_first")
    op.execute(f"CREATE TABLE audit_events_last PARTITION OF audit_events FOR VALUES FROM ('{until}') TO (MAXVALUE)")
    _grant(grants)
    for role, _ in grants:
        op.execute(f"REVOKE ALL ON audit_events_first FROM {role}")


def downgrade() -> None:
    """Copies all events, and locks the table meanwhile."""
    grants = _grants()
    op.rename_table("audit_events", "audit_events_by_month")
    for name in ("pk_audit_events", *(f"ix_audit_events_{name}" for name in INDEXES)):
        op.execute(f"ALTER INDEX {name} RENAME TO {name}_by_month")
    _create_table("audit_events", "id")
    op.drop_index("ix_audit_events_outcome", "audit_events")
    op.create_index("ix_audit_events_at", "audit_events", ["at", "id"])
    names = ", ".join([*REQUIRED, *OPTIONAL])
    op.execute(f"INSERT INTO audit_events ({names}) SELECT {names} FROM audit_events_by_month")
    op.drop_table("audit_events_by_month")
    _grant(grants)


def _create_table(name: str, *key: str, partition_by: str | None = None) -> None:
    required: list[sa.Column[Any]] = [sa.Column(column, kind, nullable=False) for column, kind in REQUIRED.items()]
    optional: list[sa.Column[str]] = [sa.Column(column, sa.Text()) for column in OPTIONAL]
    primary_key = sa.PrimaryKeyConstraint(*key, name=f"pk_{name}")
    op.create_table(name, *required, *optional, primary_key, postgresql_partition_by=partition_by)
    for index, columns in INDEXES.items():
        where = HAS_TARGET if index == "target_action" else None
        op.create_index(f"ix_audit_events_{index}", name, columns, postgresql_where=where)


def _ensure_no_end_of_time() -> None:
    """Behind all events there must be room for a time that Python knows."""
    if op.get_bind().scalar(sa.text("SELECT max(at) >= '9999-01-01' FROM audit_events")):
        raise MigrationError(
            "audit_events has an event of the year 9999 or later, so that it cannot be partitioned: correct its `at` "
            "as the owner, and run `gatehouse migrate` again."
        )


def _ensure_checked() -> str:
    """Where the first partition ends: a month or more from now, and behind all events that there are. A check says so,
    so that attaching the table reads none of it. One that an earlier attempt has left is used again.
    """
    connection = op.get_bind()
    until = _month(2, after=connection.scalar(sa.text("SELECT greatest(now(), max(at)) FROM audit_events")))
    left = f"SELECT conname, convalidated FROM pg_constraint WHERE conrelid = 'audit_events'::regclass {LIKE_CHECK}"
    checks = {str(name): bool(is_valid) for name, is_valid in connection.execute(sa.text(left))}
    with op.get_context().autocommit_block():
        for name in checks.keys() - {_check_of(until)}:
            op.drop_constraint(name, "audit_events")
        if _check_of(until) not in checks:
            op.execute(f"ALTER TABLE audit_events ADD CONSTRAINT {_check_of(until)} CHECK (at < '{until}') NOT VALID")
    if not checks.get(_check_of(until)):
        with outside_of_transactions():
            op.execute(f"ALTER TABLE audit_events VALIDATE CONSTRAINT {_check_of(until)}")
    return until


def _month(number: int, *, after: datetime) -> str:
    year, month = divmod(after.astimezone(UTC).year * 12 + after.astimezone(UTC).month - 1 + number, 12)
    return f"{year:04}-{month + 1:02}-01 00:00:00+00"


def _check_of(until: str) -> str:
    return f"{CHECK}{until[:7].replace('-', '_')}"


def _grants() -> list[tuple[str, str]]:
    """Whoever serves has its rights at every moment."""
    rights = """
        SELECT grantee::regrole::text, privilege_type FROM pg_class, aclexplode(relacl)
        WHERE pg_class.oid = 'audit_events'::regclass AND grantee NOT IN (0, relowner)
    """
    return [(role, right) for role, right in op.get_bind().execute(sa.text(rights))]


def _grant(grants: list[tuple[str, str]]) -> None:
    for role, right in grants:
        op.execute(f"GRANT {right} ON audit_events TO {role}")
