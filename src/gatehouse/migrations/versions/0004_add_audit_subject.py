"""add the subject of audit events"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("subject_kind", "subject_id", "subject_label"):
        op.add_column("audit_events", sa.Column(column, sa.Text()))
    op.create_index(op.f("ix_audit_events_subject_id"), "audit_events", ["subject_id", "at", "id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_audit_events_subject_id"), table_name="audit_events")
    for column in ("subject_label", "subject_id", "subject_kind"):
        op.drop_column("audit_events", column)
